import { Type } from 'typebox'
import { offOr, oneOrMany, option, required, section, text } from './option.ts'

const reload = 'next-exchange'
const waiting = Type.Integer({ minimum: 1, maximum: 1_000_000 })

const backoff = section({
  base: option(text('duration'), { text: 'Longest wait before the first retry; it doubles each time.', reload, default: '25ms' }),
  max: option(text('duration'), { text: 'The longest wait; never shorter than `base`.', reload, default: '250ms' }),
})

/** Attempts after the first. */
export const attempts = Type.Integer({ minimum: 0, maximum: 10 })
export const retryReasons = Type.Array(Type.Enum(['connect', 'unsent', 'reset', 'timeout']))
export const retryStatuses = oneOrMany(text('errorStatusRange'), 0)

export const retrySchema = section({
  attempts: option(attempts, {
    text: 'Attempts after the first, each on another server, for requests and TCP connections; 0 turns retries off.',
    reload,
    default: 2,
  }),
  on: option(retryReasons, {
    text: 'After which failures: no connection, no byte of the request sent, a reset before the response, no response in time. The last two only for idempotent methods; a TCP connection is tried again after `connect` only.',
    reload,
    default: ['connect', 'unsent', 'reset', 'timeout'],
  }),
  statuses: option(retryStatuses, {
    text: 'Statuses of responses to idempotent requests that are tried again: one, a range `first-last`, or a list of these.',
    reload,
    default: [],
  }),
  budget: option(text('share'), {
    text: 'Retries at once as a share of the requests and TCP connections in flight, but at least 3.',
    reload,
    default: '20%',
  }),
  maxTime: option(text('duration', { least: 1 }), {
    text: 'No retry begins later than this after its request came.',
    reload,
    default: '10s',
  }),
  backoff: option(backoff, {
    text: 'Random wait before a retry on the same server, where there is no other; another server is asked at once.',
    reload,
    default: {},
  }),
  replayBytes: option(text('size', { most: 16 * 1024 * 1024 }), {
    text: 'Bytes of a request body that are kept for a retry; a longer body is not sent twice.',
    reload,
    default: '64KiB',
  }),
})

export const queueSchema = section({
  max: option(waiting, { text: 'Requests and TCP connections that wait at once, over all workers.', reload: 'live', default: 1024 }),
  timeout: option(text('duration', { least: 1 }), {
    text: 'How long one waits; then 503, or the TCP connection is closed.',
    reload,
    default: '5s',
  }),
})

export const holdSchema = section({
  max: option(waiting, { text: 'Requests and TCP connections that wait at once, over all workers.', reload: 'live', default: 1000 }),
  timeout: option(text('duration', { least: 1 }), {
    text: 'How long one waits; then 503, or the TCP connection is closed.',
    reload,
    default: '3s',
  }),
})

export const limitsSchema = section({
  inFlight: option(Type.Integer({ minimum: 1, maximum: 10_000_000 }), {
    text: 'Requests and TCP connections at once over all servers and workers; more wait in the `queue`.',
    reload: 'live',
    default: 10_000,
  }),
})

export const breakerSchema = section({
  errors: option(text('share', { least: 0.01 }), {
    text: 'It opens at this share of failures, where there were `minimum` in the `window`.',
    reload: 'live',
    default: '50%',
  }),
  latency: option(offOr(text('duration', { least: 1 })), {
    text: 'Or at a longer mean time to the first byte.',
    reload: 'live',
    default: 'off',
  }),
  minimum: option(Type.Integer({ minimum: 1, maximum: 1_000_000 }), {
    text: 'Requests and TCP connections in the `window` below which it stays closed.',
    reload: 'live',
    default: 20,
  }),
  window: option(text('duration', { least: 100 }), { text: 'How far back is counted.', reload: 'live', default: '10s' }),
  open: option(text('duration', { least: 1 }), {
    text: 'How long every request is answered with 503 and every TCP connection closed.',
    reload: 'live',
    default: '10s',
  }),
  ramp: option(text('duration'), { text: 'How long the share that passes grows afterwards.', reload: 'live', default: '10s' }),
})

export const hedgeSchema = section({
  after: required(text('duration', { least: 1 }), {
    text: 'How long the first server has before a second one is asked too.',
    reload,
  }),
})
