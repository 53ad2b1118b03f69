import Type from 'typebox'
import { option, optional, required, section, text } from './option.ts'

const reload = 'next-exchange'

const server = section({
  name: optional(text('serverName'), { text: 'Its name, unique in the upstream; the address where none is given.', reload: 'live' }),
  address: required(text('serverAddress'), { text: '`host:port`, `[IPv6]:port` or `unix:/path`.', reload }),
  weight: option(Type.Integer({ minimum: 0, maximum: 256 }), {
    text: 'Its share against the others; 0 takes no traffic.',
    reload,
    default: 1,
  }),
  maxConnections: optional(Type.Integer({ minimum: 1, maximum: 10_000_000 }), {
    text: 'Requests and TCP connections at once over all workers; no limit where it is not given. When every server is full a request is answered with 503 and a TCP connection closed.',
    reload,
  }),
  backup: option(Type.Boolean(), { text: 'Takes traffic only when no other server can.', reload, default: false }),
})

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

const timeouts = section({
  connect: option(text('duration', { least: 1 }), {
    text: 'To connect to a server, for requests and TCP connections.',
    reload,
    default: '2s',
  }),
  firstByte: option(text('duration', { least: 1 }), {
    text: 'From the end of the request to the first byte of the response; then 504.',
    reload,
    default: '30s',
  }),
  idle: option(text('duration', { least: 1 }), { text: 'Between two reads of a response body.', reload, default: '60s' }),
  tunnel: option(text('duration', { least: 1 }), {
    text: 'Without a byte in either direction of a TCP connection, or of an upgraded one, as a WebSocket.',
    reload,
    default: '1h',
  }),
})

const retry = section({
  attempts: option(Type.Integer({ minimum: 0, maximum: 10 }), {
    text: 'Attempts after the first, each on another server, for requests and TCP connections; 0 turns retries off.',
    reload,
    default: 2,
  }),
  on: option(Type.Array(Type.Enum(['connect', 'unsent', 'reset', 'timeout'])), {
    text: 'After which failures: no connection, no byte of the request sent, a reset before the response, no response in time. The last two only for idempotent methods; a TCP connection is tried again after `connect` only.',
    reload,
    default: ['connect', 'unsent', 'reset', 'timeout'],
  }),
  replayBytes: option(text('size', { most: 16 * 1024 * 1024 }), {
    text: 'Bytes of a request body that are kept for a retry; a longer body is not sent twice.',
    reload,
    default: '64KiB',
  }),
})

export const upstreamSchema = section({
  balance: option(Type.Enum(['round-robin', 'least-connections']), {
    text: 'How a server is picked.',
    reload,
    default: 'least-connections',
  }),
  servers: required(Type.Array(Type.Union([text('serverAddress'), server]), { minItems: 1 }), {
    text: 'Its servers: an address, or a map with the options below.',
    reload: 'live',
  }),
  health: option(Type.Enum(['off']), { text: 'Active health checks.', reload: 'live', default: 'off' }),
  passiveHealth: option(Type.Enum(['off']), { text: 'Taking servers out that fail.', reload: 'live', default: 'off' }),
  keepAlive: option(keepAlive, { text: 'Connections to servers that are kept for the next request.', reload: 'live', default: {} }),
  timeouts: option(timeouts, { text: 'How long a server may take.', reload, default: {} }),
  retry: option(retry, { text: 'What is tried again on another server; TCP connections too.', reload, default: {} }),
  responseHeaderBytes: option(text('size', { least: 1024, most: 65_535 }), {
    text: 'Bytes of a response head; more is answered with 502.',
    reload: 'next-exchange',
    default: '32KiB',
  }),
  sendProxyProtocol: option(Type.Enum(['off', 'v1', 'v2']), {
    text: 'The PROXY header that begins each connection to a server.',
    reload,
    default: 'off',
  }),
})
