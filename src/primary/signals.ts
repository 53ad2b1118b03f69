import type { Running } from './primary.ts'

/**
 * TERM and INT: graceful with the deadline of the config. QUIT: graceful without one. A second one of them ends at once. HUP reloads,
 * USR1 opens the access log anew, USR2 upgrades. The process exits with 0 when everything has ended properly.
 */
export function obeySignals({ life, operator, accessLog }: Running, log: (line: string) => void): void {
  process.on('SIGTERM', () => life.stop('SIGTERM', {}))
  process.on('SIGINT', () => life.stop('SIGINT', { isHasty: true }))
  process.on('SIGQUIT', () => life.stop('SIGQUIT', { graceMs: 0 }))
  // What became of it is in the log.
  process.on('SIGHUP', () => operator.reload(false).catch(() => {}))
  process.on('SIGUSR2', () => operator.upgrade(false).catch((error: Error) => log(`not upgraded: ${error.message}`)))
  // Its default would open a debugger.
  process.on('SIGUSR1', () => log(`SIGUSR1: ${accessLog.reopen()}`))
}
