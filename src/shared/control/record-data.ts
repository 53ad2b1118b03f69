/** What the control socket answers of single records: live streams, and what is known of one request. */
import { type Static, type TSchema, Type } from 'typebox'

const text = (description: string) => Type.String({ description })
const number = (description: string) => Type.Number({ description })
const flag = (description: string) => Type.Boolean({ description })
const maybe = Type.Optional
const nullable = <T extends TSchema>(schema: T, description: string) => Type.Union([schema, Type.Null()], { description })

export const LogAttempt = Type.Object({
  server: maybe(text('upstream/server')),
  reason: text(
    'connect, connect_timeout, reset, closed, first_byte_timeout, invalid_response, busy, head_too_large, status or tls; later versions may add some',
  ),
  error: maybe(text('Name of an errno')),
  status: maybe(number('Of the response, where that is the reason')),
  atUs: number('When it failed, in microseconds since the request began'),
})

/** Times in microseconds. What has nothing to say is left out. */
export const LogRecord = Type.Object({
  time: maybe(text('When it ended (ISO 8601)')),
  kind: maybe(Type.Enum(['exchange', 'tunnel'], { description: 'An HTTP request and its response, or a connection passed through' })),
  worker: maybe(number('From 1')),
  requestId: maybe(text('Its X-Request-Id')),
  client: maybe(text('Address of who asked, past trusted proxies')),
  peer: maybe(text('Address and port of who connected')),
  listener: maybe(text('Its listener')),
  method: maybe(text('As it was sent')),
  host: maybe(text('Of the request; the server name of TLS that is passed through')),
  path: maybe(text('Without the query')),
  query: maybe(text('Secrets in it are replaced')),
  protocol: maybe(text('HTTP/1.1, HTTP/1.0, tcp or tls')),
  status: maybe(number('That the client got; 0 for none')),
  termination: maybe(text('How it ended: ok, client_abort, no_server, …; see docs/logs.md')),
  route: maybe(text('The route that was found')),
  upstream: maybe(text('Its upstream')),
  server: maybe(text('Name of the last server that was tried')),
  attempts: maybe(number('How often a server was asked')),
  failedAttempts: maybe(Type.Array(LogAttempt)),
  isReused: maybe(flag('On a pooled connection')),
  isHedged: maybe(flag('A second server was asked as the first was late')),
  bytesIn: maybe(number('From the client')),
  bytesOut: maybe(number('To the client')),
  queueUs: maybe(number('Until it was known which server gets it')),
  connectUs: maybe(number('For a new connection to the server')),
  firstByteUs: maybe(number('From the request handed over to the first byte of the response')),
  totalUs: maybe(number('From the first byte readable to the last byte handed over')),
  overheadUs: maybe(number('What weir itself added')),
  referer: maybe(text('Of the request')),
  userAgent: maybe(text('Of the request')),
  traceparent: maybe(text('That was sent to the server')),
  headers: maybe(Type.Record(Type.String(), Type.String(), { description: 'Those that the access log captures' })),
})

/** In each `weir.progress/1` of a tail. */
export const TailProgress = Type.Object({
  records: Type.Array(LogRecord, { description: 'In the order in which they ended, of each worker' }),
  lost: number('Records so far that came faster than they were read; all together'),
})
export const TailData = Type.Object({
  sent: number('Records'),
  lost: number('Records that came faster than they were read'),
})

export const ServerMoment = Type.Object({
  atMs: number('Before the request began (negative) or after it'),
  state: text('In one word, as in the status'),
  why: text('In words; empty for nothing'),
})
export const ServerStory = Type.Object({
  id: text('upstream/server'),
  atFirst: nullable(ServerMoment, 'Its state when the request began, and since when; null when it was not there or is forgotten'),
  later: Type.Array(ServerMoment, { description: 'What changed until shortly after the request' }),
})

export const WhyData = Type.Object({
  record: LogRecord,
  count: number('Records with this request id; the latest of them is told'),
  servers: Type.Array(ServerStory, { description: 'The servers of its upstream at that time' }),
})

export type LogAttempt = Static<typeof LogAttempt>
export type LogRecord = Static<typeof LogRecord>
export type TailProgress = Static<typeof TailProgress>
export type TailData = Static<typeof TailData>
export type ServerMoment = Static<typeof ServerMoment>
export type ServerStory = Static<typeof ServerStory>
export type WhyData = Static<typeof WhyData>
