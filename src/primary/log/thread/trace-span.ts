/** The span of one exchange or tunnel, as OpenTelemetry's semantic conventions name its parts. Pure. */
import type { Resource } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { endedAtMs, type FailedAttempt, type RecordLine } from '../../../shared/records/record-line.ts'

type SpanContext = ReturnType<ReadableSpan['spanContext']>
type Attributes = ReadableSpan['attributes']
type HrTime = ReadableSpan['startTime']

const SERVER_KIND = 1
const UNSET = 0
const ERROR = 2
const SAMPLED = 1

/** RFC 9110 and RFC 5789: what is not among them is one `_OTHER` for whoever counts by method. */
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'])

/** A W3C traceparent in parts; null for what is none. */
export function parseTraceparent(text: string | undefined): { traceId: string; spanId: string; isSampled: boolean } | null {
  const parts = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-|$)/.exec(text ?? '')
  if (parts === null) return null
  return { traceId: parts[1] ?? '', spanId: parts[2] ?? '', isSampled: (Number.parseInt(parts[3] ?? '0', 16) & SAMPLED) !== 0 }
}

/** null when it has no trace, or nobody wants it to be kept. The server got our span's own id as its parent. */
export function spanOf(record: RecordLine, resource: Resource): ReadableSpan | null {
  const own = parseTraceparent(record.traceparent)
  const endMs = endedAtMs(record)
  if (own === null || !own.isSampled || Number.isNaN(endMs)) return null
  const parent = parentOf(record, own.traceId)
  const totalUs = record.totalUs ?? 0
  const endUs = endMs * 1_000
  const startUs = endUs - totalUs
  return {
    name: nameOf(record),
    kind: SERVER_KIND,
    spanContext: () => contextOf(own),
    ...(parent === null ? {} : { parentSpanContext: { ...contextOf(parent), isRemote: true } }),
    startTime: hrTime(startUs),
    endTime: hrTime(endUs),
    duration: hrTime(totalUs),
    status: { code: hasFailed(record) ? ERROR : UNSET },
    attributes: attributesOf(record),
    links: [],
    events: (record.failedAttempts ?? []).map((attempt) => eventOf(attempt, startUs)),
    ended: true,
    resource,
    instrumentationScope: { name: 'weir' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

/** What the client sent, where our trace goes on with it. */
function parentOf({ headers }: RecordLine, traceId: string): ReturnType<typeof parseTraceparent> {
  const parent = parseTraceparent(headers?.['traceparent'])
  return parent?.traceId === traceId ? parent : null
}

function contextOf({ traceId, spanId }: { traceId: string; spanId: string }): SpanContext {
  return { traceId, spanId, traceFlags: SAMPLED }
}

function nameOf({ method, route, kind, protocol = 'tcp' }: RecordLine): string {
  const what = method === undefined ? (kind === 'tunnel' ? `${protocol} connection` : 'HTTP') : knownMethods.has(method) ? method : 'HTTP'
  return route === undefined || route === '' ? what : `${what} ${route}`
}

/** A client's own mistake, or its leaving, is no error of a server (semantic conventions, HTTP spans, status). */
function hasFailed({ status = 0, termination = 'ok' }: RecordLine): boolean {
  return status >= 500 || (status === 0 && termination !== 'ok' && termination !== 'client_abort')
}

function attributesOf(record: RecordLine): Attributes {
  const { method, host, path, query, protocol, status = 0, client, userAgent, termination = 'ok', kind } = record
  const isHttp = kind !== 'tunnel' || method !== undefined
  const isKnown = method === undefined || knownMethods.has(method)
  return given({
    'http.request.method': isKnown ? method : '_OTHER',
    'http.request.method_original': isKnown ? undefined : method,
    'http.response.status_code': status === 0 ? undefined : status,
    'http.route': record.route,
    'url.scheme': isHttp ? 'http' : undefined,
    'url.path': path,
    'url.query': query,
    ...serverAttributes(host),
    'client.address': client,
    'network.protocol.name': isHttp ? 'http' : protocol,
    'network.protocol.version': /^HTTP\/(.+)$/.exec(protocol ?? '')?.[1],
    'user_agent.original': userAgent,
    'error.type': hasFailed(record) ? (termination === 'ok' ? String(status) : termination) : undefined,
    ...ownAttributes(record),
  })
}

/** What no convention has a name for. */
function ownAttributes(record: RecordLine): Record<string, string | number | boolean | undefined> {
  const { requestId, listener, upstream, server, attempts, termination, isReused, isHedged } = record
  const { queueUs, connectUs, firstByteUs, overheadUs } = record
  return {
    'weir.request_id': requestId,
    'weir.listener': listener,
    'weir.upstream': upstream,
    'weir.server': server === undefined ? undefined : `${upstream ?? ''}/${server}`,
    'weir.attempts': attempts,
    'weir.termination': termination,
    'weir.connection.reused': isReused,
    'weir.hedged': isHedged,
    'weir.queue_us': queueUs,
    'weir.connect_us': connectUs,
    'weir.first_byte_us': firstByteUs,
    'weir.overhead_us': overheadUs,
  }
}

/** `example.com:8080` in its two parts. */
function serverAttributes(host: string | undefined): Record<string, string | number | undefined> {
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(host ?? '')
  return { 'server.address': parts?.[1] || undefined, 'server.port': parts?.[2] === undefined ? undefined : Number(parts[2]) }
}

function eventOf({ server, reason, error, atUs }: FailedAttempt, startUs: number): ReadableSpan['events'][number] {
  return {
    name: 'attempt failed',
    time: hrTime(startUs + atUs),
    attributes: given({ 'weir.server': server, 'error.type': reason, 'weir.errno': error }),
  }
}

function given(values: Record<string, string | number | boolean | undefined>): Attributes {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Attributes
}

/** Seconds and nanoseconds. */
function hrTime(us: number): HrTime {
  const seconds = Math.floor(us / 1_000_000)
  return [seconds, Math.round(us - seconds * 1_000_000) * 1_000]
}
