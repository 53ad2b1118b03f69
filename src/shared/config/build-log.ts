import type { AccessLogConfig, Config } from './model.ts'
import { logDefaults } from './schema/log.ts'
import type { CheckedConfig } from './schema.ts'

/** Logs and traces of the model. */
export function buildLogs({ log, tracing }: CheckedConfig): Pick<Config, 'log' | 'tracing'> {
  return {
    log: { access: buildAccess(log.access) },
    tracing: tracing === 'off' ? null : { ...tracing, headers: Object.entries(tracing.headers) },
  }
}

function buildAccess(access: CheckedConfig['log']['access']): AccessLogConfig | null {
  if (access === 'off') return null
  if (typeof access === 'string') return { ...usualAccessLog(), to: access }
  return { ...access, redactQuery: access.redactQuery.map((name) => name.toLowerCase()) }
}

/** What a log is that is given by its target alone; also how `weir tail` writes records where there is no log. */
export function usualAccessLog(): AccessLogConfig {
  const { format, fields, redactQuery } = logDefaults
  return { to: 'stdout', format, fields: [...fields], headers: [], redactQuery: [...redactQuery], sample: 1 }
}
