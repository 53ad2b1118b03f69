/** How records are written for each of their readers. */
import { abi } from '../../native/abi.ts'
import type { RecordFormat } from '../../native/contract.ts'
import { usualAccessLog } from '../config/build-log.ts'
import type { AccessLogConfig, Config } from '../config/model.ts'

/** Header fields whose values are never written. */
const secretHeaders: readonly string[] = [
  ...['authorization', 'proxy-authorization', 'cookie', 'set-cookie'],
  ...['x-api-key', 'x-auth-token', 'x-csrf-token', 'x-amz-security-token'],
]

/** What a client sends of its trace: where a span of ours has its parent. */
export const traceHeader = 'traceparent'

type Logging = Pick<Config, 'log' | 'tracing'>

/** Header fields that workers keep in records, in this order: the argument of `Engine.recordHeaders`. */
export function capturedHeaders({ log, tracing }: Logging): string[] {
  const names = [...new Set(log.access?.headers ?? [])]
  return tracing === null || names.includes(traceHeader) ? names : [...names, traceHeader]
}

/** Of the lines of an access log. */
export function accessFormat(access: AccessLogConfig, config: Logging): RecordFormat {
  const { format, fields, headers, redactQuery, sample } = access
  const numbers = fields.map((name) => abi.recordField[name])
  return {
    kind: format,
    fields: headers.length > 0 ? [...numbers, abi.recordField.headers] : numbers,
    redactedQuery: redactQuery,
    headers: headersOf(config),
    share: sample,
  }
}

/** Everything that a record holds, for people who look at single ones. */
export function wholeFormat(config: Logging): RecordFormat {
  const { count, ...fields } = abi.recordField
  const { redactQuery } = config.log.access ?? usualAccessLog()
  return { kind: 'json', fields: Object.values(fields), redactedQuery: redactQuery, headers: headersOf(config), share: 1 }
}

function headersOf(config: Logging): RecordFormat['headers'] {
  return capturedHeaders(config).map((name) => ({ name, isSecret: secretHeaders.includes(name) }))
}
