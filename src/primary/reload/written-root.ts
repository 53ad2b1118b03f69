import { formatDuration } from '../../shared/base/units.ts'
import type { Config, ErrorPages } from '../../shared/config/model.ts'
import { given, type WrittenSection } from './written.ts'

/** The options of a config that are neither of a listener nor of an upstream. */
export function writtenRoot(config: Config): WrittenSection {
  const { control, admin, shutdown } = config
  return given({
    workers: String(config.workers),
    zone: config.zone,
    control: given({ socket: control.isOn ? control.socket : 'off' }),
    admin: admin === null ? 'off' : { bind: admin.bind.text },
    user: config.user,
    group: config.group,
    pidFile: config.pidFile,
    shutdown: {
      grace: formatDuration(shutdown.graceMs),
      delay: formatDuration(shutdown.delayMs),
      spread: formatDuration(shutdown.spreadMs),
    },
    errorPages: writtenPages(config.errorPages),
  })
}

/** Error pages by status; a body counts by its text, wherever it was read from. */
export function writtenPages(pages: ErrorPages): WrittenSection {
  return Object.fromEntries(Object.entries(pages).map(([status, { contentType, body }]) => [status, { contentType, body }]))
}
