import { Type } from 'typebox'
import { mapOf, offOr, option, required, section, text } from './option.ts'

/** What a line may say, in the order in which it says it: the names of `abi.recordField`, but for `headers`, which has a list of its own. */
export const logFields = [
  ...(['time', 'kind', 'worker', 'requestId', 'client', 'peer', 'listener', 'method', 'host', 'path', 'query', 'protocol'] as const),
  ...(['status', 'termination', 'route', 'upstream', 'server', 'attempts', 'failedAttempts', 'isReused', 'isHedged'] as const),
  ...(['bytesIn', 'bytesOut', 'queueUs', 'connectUs', 'firstByteUs', 'totalUs', 'overheadUs'] as const),
  ...(['referer', 'userAgent', 'traceparent'] as const),
] as const
export type LogField = (typeof logFields)[number]

/** Who asked for what, how it ended, where it went, and what took how long. */
const usualFields: readonly LogField[] = logFields.filter((name) => !['kind', 'worker', 'peer', 'referer', 'traceparent'].includes(name))

/** Parameters that carry secrets often enough that nobody should have to think of them. */
const secretParameters = [
  ...['token', 'access_token', 'refresh_token', 'id_token', 'auth', 'api_key', 'apikey', 'key', 'secret', 'client_secret'],
  ...['password', 'passwd', 'pwd', 'code', 'signature', 'sig', 'x-amz-signature', 'x-amz-security-token', 'x-goog-signature'],
]

/** What an access log has that is given by its target alone. Values as in the file. */
export const logDefaults = { format: 'json', fields: usualFields, headers: [], redactQuery: secretParameters, sample: '100%' } as const

const accessLog = section({
  to: required(text('logTarget'), {
    text: '`stdout`, or the absolute path of a file, which is appended to and opened anew at the signal USR1.',
    reload: 'live',
  }),
  format: option(Type.Enum(['json', 'combined']), {
    text: '`json`: a JSON object per line. `combined`: the format of Apache and nginx, without `fields` and `headers`.',
    reload: 'live',
    default: logDefaults.format,
  }),
  fields: option(Type.Array(Type.Enum([...logFields]), { minItems: 1 }), {
    text: 'What a JSON line says; its order is always the same.',
    reload: 'live',
    default: [...logDefaults.fields],
  }),
  headers: option(Type.Array(text('headerName'), { maxItems: 7 }), {
    text: 'Header fields of requests that a JSON line says, too, at most 7. Of those that hold secrets, such as `Authorization` and `Cookie`, it says `redacted`.',
    reload: 'live',
    default: [...logDefaults.headers],
  }),
  redactQuery: option(Type.Array(text('queryName'), { maxItems: 64 }), {
    text: 'Query parameters whose values are written as `redacted`; upper and lower case are the same.',
    reload: 'live',
    default: [...logDefaults.redactQuery],
  }),
  sample: option(text('share'), {
    text: 'Share of the requests that ended well that is logged; all others always are.',
    reload: 'live',
    default: logDefaults.sample,
  }),
})

export const logSchema = section({
  access: option(Type.Union([Type.Literal('off'), text('logTarget'), accessLog]), {
    text: 'Where a line per request goes: `off`, `stdout`, the absolute path of a file, or a section.',
    reload: 'live',
    default: 'off',
  }),
})

const otlp = section({
  otlp: required(text('collectorUrl'), {
    text: 'Where spans are sent by OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`.',
    reload: 'live',
  }),
  share: option(text('share'), {
    text: 'Share of the requests without a `traceparent` that begin a trace. One with a `traceparent` goes by its sampled flag.',
    reload: 'live',
    default: '10%',
  }),
  serviceName: option(text('filledText'), { text: 'Name of this balancer in traces.', reload: 'live', default: 'weir' }),
  headers: option(mapOf('headerName', text('headerValue')), {
    text: 'Header fields of the requests to the collector, such as a token.',
    reload: 'live',
    default: {},
  }),
})

export const tracing = option(offOr(otlp), {
  text: 'Spans of requests (W3C Trace Context) for an OpenTelemetry collector.',
  reload: 'live',
  default: 'off',
})
