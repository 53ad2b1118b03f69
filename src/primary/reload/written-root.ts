import { formatDuration, formatShare } from '../../shared/base/units.ts'
import type { AccessLogConfig, Config, ErrorPages, TracingConfig } from '../../shared/config/model.ts'
import { given, list, sectionOrOff, type WrittenSection } from './written.ts'

/** The options of a config that are neither of a listener nor of an upstream. */
export function writtenRoot(config: Config): WrittenSection {
  const { control, admin, shutdown } = config
  return given({
    workers: String(config.workers),
    zone: config.zone,
    control: given({ socket: control.isOn ? control.socket : 'off' }),
    admin: sectionOrOff(admin, ({ bind, token, viewToken, hosts }) => given({ bind: bind.text, token, viewToken, hosts: list(hosts) })),
    user: config.user,
    group: config.group,
    pidFile: config.pidFile,
    shutdown: {
      grace: formatDuration(shutdown.graceMs),
      delay: formatDuration(shutdown.delayMs),
      spread: formatDuration(shutdown.spreadMs),
    },
    errorPages: writtenPages(config.errorPages),
    log: { access: sectionOrOff(config.log.access, writtenLog) },
    tracing: sectionOrOff(config.tracing, writtenTracing),
  })
}

function writtenLog({ to, format, fields, headers, redactQuery, sample }: AccessLogConfig): WrittenSection {
  return { to, format, fields: list(fields), headers: list(headers), redactQuery: list(redactQuery), sample: formatShare(sample) }
}

function writtenTracing({ otlp, share, serviceName, headers }: TracingConfig): WrittenSection {
  // Values may be tokens, and a text of several lines is never shown.
  const lines = headers.map(([name, value]) => `${name}: ${value}\n`).join('')
  return { otlp, share: formatShare(share), serviceName, headers: lines === '' ? 'none' : lines }
}

/** Error pages by status; a body counts by its text, wherever it was read from. */
export function writtenPages(pages: ErrorPages): WrittenSection {
  return Object.fromEntries(Object.entries(pages).map(([status, { contentType, body }]) => [status, { contentType, body }]))
}
