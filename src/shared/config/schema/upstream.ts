import { Type } from 'typebox'
import { balanceNames, hashSchema, slowStartSchema, stickySchema } from './balance.ts'
import { breakerSchema, hedgeSchema, holdSchema, limitsSchema, queueSchema, retrySchema } from './failures.ts'
import { agentSchema, healthSchema, passiveHealthSchema } from './health.ts'
import { offOr, option, optional, required, section, text } from './option.ts'
import { serverSchema } from './server.ts'
import { upstreamTimeouts } from './timeouts.ts'
import { upstreamTls } from './tls.ts'

const reload = 'next-exchange'

const keepAlive = section({
  idle: option(Type.Integer({ minimum: 0, maximum: 65_535 }), {
    text: 'Idle connections kept per worker and server.',
    reload: 'live',
    default: 64,
  }),
  idleTimeout: option(text('duration', { least: 1 }), {
    text: 'How long one is kept before its server told or showed its own limit.',
    reload: 'live',
    default: '4s',
  }),
})

export const upstreamSchema = section({
  balance: option(Type.Enum(balanceNames), {
    text: 'How a server is picked. `power-of-two`: the less loaded of two at random; `least-time`: the least time to the first byte times load; `first`: the first of the list that is not full; `source-hash`: by client address; `consistent-hash`: by `hash`.',
    reload,
    default: balanceNames[0],
  }),
  hash: optional(hashSchema, { text: 'What `consistent-hash` hashes, and how; only with it.', reload }),
  servers: required(Type.Array(Type.Union([text('serverAddress'), serverSchema]), { minItems: 1 }), {
    text: 'Its servers: an address, or a map with the options below.',
    reload: 'live',
  }),
  health: option(offOr(healthSchema), {
    text: 'Active checks. With `off` every server counts as up.',
    reload: 'live',
    default: { tcp: true },
  }),
  agent: option(offOr(agentSchema), {
    text: 'A port on each server that says `ready`, `drain`, `down` or a weight such as `75%`.',
    reload: 'live',
    default: 'off',
  }),
  passiveHealth: option(offOr(passiveHealthSchema), {
    text: 'Takes servers out for a while that fail requests; in force unless `off`.',
    reload: 'live',
    default: {},
  }),
  slowStart: option(slowStartSchema, {
    text: 'How long the weight of a server that comes back grows, from a tenth to the whole.',
    reload: 'live',
    default: '10s',
  }),
  sticky: option(offOr(stickySchema), {
    text: 'A cookie by which a client comes back to its server while that takes traffic.',
    reload,
    default: 'off',
  }),
  queue: option(offOr(queueSchema), {
    text: 'Waiting while every server is full; in force unless `off`, which answers at once.',
    reload: 'live',
    default: {},
  }),
  hold: option(offOr(holdSchema), {
    text: 'Waiting while no server is usable, until one is; in force unless `off`, which answers at once.',
    reload: 'live',
    default: {},
  }),
  limits: option(limitsSchema, { text: 'What the upstream takes.', reload: 'live', default: {} }),
  breaker: option(offOr(breakerSchema), {
    text: 'Answers everything with 503 for a while when the upstream as a whole fails.',
    reload: 'live',
    default: 'off',
  }),
  hedge: option(offOr(hedgeSchema), {
    text: 'A second server is asked when the first is late, and the first answer counts; idempotent methods only, within `retry.budget`.',
    reload,
    default: 'off',
  }),
  keepAlive: option(keepAlive, { text: 'Connections to servers that are kept for the next request.', reload: 'live', default: {} }),
  timeouts: option(upstreamTimeouts, { text: 'How long a server may take.', reload, default: {} }),
  retry: option(retrySchema, { text: 'What is tried again on another server; TCP connections too.', reload, default: {} }),
  responseHeaderBytes: option(text('size', { least: 1024, most: 65_535 }), {
    text: 'Bytes of a response head; more is answered with 502.',
    reload,
    default: '32KiB',
  }),
  tls: optional(upstreamTls, {
    text: 'Speaks TLS to the servers, for their health checks too; `true` verifies them against the authorities of the system.',
    reload: 'new-connections',
  }),
  sendProxyProtocol: option(Type.Enum(['off', 'v1', 'v2']), {
    text: 'The PROXY header that begins each connection to a server.',
    reload,
    default: 'off',
  }),
})
