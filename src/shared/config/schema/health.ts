import { Type } from 'typebox'
import { mapOf, offOr, oneOrMany, option, optional, required, section, text } from './option.ts'

const reload = 'live'
const port = Type.Integer({ minimum: 1, maximum: 65_535 })
const count = Type.Integer({ minimum: 1, maximum: 100 })

const bodyRegex = section({
  regex: required(text('regex'), { text: 'Regular expression that is searched in the body.', reload }),
})

export const healthSchema = section({
  tcp: optional(Type.Literal(true), {
    text: 'A server is well that takes a connection; so it is checked where `http` is not given. Not together with `http`.',
    reload,
  }),
  http: optional(text('checkTarget'), { text: 'Path that is requested, perhaps with a query.', reload }),
  method: option(text('method'), { text: 'Method of the request; this and the next five only with `http`.', reload, default: 'GET' }),
  host: optional(text('host'), { text: "Host of the request; the server's address where it is not given.", reload }),
  headers: option(mapOf('checkHeader', oneOrMany(text('headerValue'))), { text: 'Further headers of the request.', reload, default: {} }),
  status: option(oneOrMany(text('statusRange')), {
    text: 'Statuses of a server that is well: one, a range `first-last`, or a list of these.',
    reload,
    default: '200-399',
  }),
  body: optional(Type.Union([text('filledText'), bodyRegex]), {
    text: 'What the body must hold: a text, or `{ regex }` that is found in it.',
    reload,
  }),
  softStop: optional(Type.Integer({ minimum: 200, maximum: 599 }), {
    text: 'A status such as 404 by which a server asks to be drained; none where it is not given.',
    reload,
  }),
  port: optional(port, { text: 'Port that is checked; where it is not given, the one that takes the traffic.', reload }),
  interval: option(text('duration', { least: 10 }), { text: 'Between two checks, give or take 10%.', reload, default: '2s' }),
  fastInterval: option(text('duration', { least: 10 }), {
    text: 'The same while the verdict is changing; never longer than `interval`.',
    reload,
    default: '500ms',
  }),
  downInterval: option(text('duration', { least: 10 }), { text: 'The same for a server that is down.', reload, default: '5s' }),
  timeout: option(text('duration', { least: 1 }), {
    text: 'A check that takes longer has failed; never longer than `interval`.',
    reload,
    default: '1s',
  }),
  rise: option(count, { text: 'Good checks in a row after which a server is up; the first ever counts at once.', reload, default: 2 }),
  fall: option(count, { text: 'Failed checks in a row after which a server is down.', reload, default: 3 }),
  initial: option(Type.Enum(['hold', 'up', 'down']), {
    text: 'Before the first verdict: `hold` lets requests wait for it, `up` and `down` take it for granted.',
    reload,
    default: 'hold',
  }),
})

export const agentSchema = section({
  port: required(port, { text: 'Port of the agent on each server.', reload }),
  interval: option(text('duration', { least: 10 }), { text: 'Between two questions.', reload, default: '5s' }),
  timeout: option(text('duration', { least: 1 }), {
    text: 'How long an answer may take; never longer than `interval`.',
    reload,
    default: '1s',
  }),
})

export const passiveHealthSchema = section({
  failures: option(Type.Integer({ minimum: 1, maximum: 10_000 }), {
    text: 'Failures in a row after which a server is taken out.',
    reload,
    default: 5,
  }),
  ratio: option(text('share', { least: 0.01 }), {
    text: 'Or this share of failures, where there were `minimum` in the `window`.',
    reload,
    default: '50%',
  }),
  minimum: option(Type.Integer({ minimum: 1, maximum: 1_000_000 }), {
    text: 'Requests and TCP connections in the `window` below which no share is judged.',
    reload,
    default: 20,
  }),
  window: option(text('duration', { least: 100 }), { text: 'How far back is counted.', reload, default: '10s' }),
  ejectFor: option(text('duration', { least: 1 }), {
    text: 'How long a server is out the first time, give or take 20%; twice that the second time, and so on.',
    reload,
    default: '10s',
  }),
  maxEjectFor: option(text('duration', { least: 1 }), {
    text: 'The longest that it is out; never shorter than `ejectFor`.',
    reload,
    default: '300s',
  }),
  maxEjected: option(text('share'), { text: "Share of the upstream's servers that may be out at once.", reload, default: '50%' }),
  status: option(oneOrMany(text('errorStatusRange'), 0), {
    text: 'Statuses that count as failures beside broken connections and timeouts: by default those of a gateway, as a 500 may be the fault of one request. A list may be empty.',
    reload,
    default: [502, 503, 504],
  }),
  latency: option(offOr(text('duration', { least: 1 })), {
    text: 'A longer mean time to the first byte over the `window` is a failure too.',
    reload,
    default: 'off',
  }),
})
