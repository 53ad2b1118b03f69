import type { Running } from './primary.ts'

/**
 * TERM and INT: graceful with the deadline of the config. QUIT: graceful without one. A second one of them ends at once.
 * The process exits with 0 when everything has ended properly.
 */
export function obeySignals(running: Running, graceMs: number, log: (line: string) => void): void {
  let isStopping = false
  const stop = (signal: string, deadlineMs: number) => {
    if (isStopping) {
      log(`${signal} again: ending at once`)
      running.supervisor.kill()
      return
    }
    isStopping = true
    log(`${signal}: finishing what is there${deadlineMs > 0 ? `, for at most ${deadlineMs / 1000} s` : ''}`)
    running.stop(deadlineMs).then(() => process.exit(0))
  }
  process.on('SIGTERM', () => stop('SIGTERM', graceMs))
  process.on('SIGINT', () => stop('SIGINT', graceMs))
  process.on('SIGQUIT', () => stop('SIGQUIT', 0))
  // Their defaults would end the process, or open a debugger.
  process.on('SIGHUP', () => log('SIGHUP: this version cannot reload; restart it to apply a new configuration'))
  process.on('SIGUSR1', () => log('SIGUSR1: there is no log file to reopen'))
  process.on('SIGUSR2', () => log('SIGUSR2: this version cannot be upgraded while it runs'))
}
