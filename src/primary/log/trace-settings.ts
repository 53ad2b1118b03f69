import type { TracingConfig } from '../../shared/config/model.ts'
import { weirVersion } from '../control/weir-version.ts'
import type { TraceSettings } from './messages.ts'

/** What the thread needs of the config. */
export function traceSettings(tracing: TracingConfig | null): TraceSettings | null {
  if (tracing === null) return null
  const { otlp, serviceName, headers } = tracing
  return { url: otlp, serviceName, serviceVersion: weirVersion(), headers: Object.fromEntries(headers) }
}
