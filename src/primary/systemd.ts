/** What systemd is told of this process, and the watchdog: sd_notify(3), sd_watchdog_enabled(3). Without systemd nothing happens. */

export interface SystemdOptions {
  env: Readonly<Record<string, string | undefined>>
  pid: number
  /** Sends one datagram to a unix socket; a path that begins with @ is an abstract one. */
  send(path: string, text: string): void
  log(line: string): void
  /** CLOCK_MONOTONIC; microseconds. */
  monotonicUs?: () => bigint
}

export class Systemd {
  readonly #options: SystemdOptions
  readonly #path: string | null
  #watchdog: NodeJS.Timeout | undefined
  #hasFailed = false

  constructor(options: SystemdOptions) {
    const { NOTIFY_SOCKET: path = '' } = options.env
    this.#options = options
    this.#path = /^[/@]./.test(path) ? path : null
  }

  /** Whether anybody listens. */
  get isThere(): boolean {
    return this.#path !== null
  }

  /** Traffic is served; also the end of a reload. */
  ready(status: string): void {
    this.#tell(['READY=1', `STATUS=${oneLine(status)}`])
  }

  reloading(): void {
    this.#tell(['RELOADING=1', `MONOTONIC_USEC=${(this.#options.monotonicUs ?? monotonicUs)()}`, 'STATUS=reloading'])
  }

  /** `mostMs`: how long it may take, beyond what the unit file allows; 0 when it is not known. */
  stopping(mostMs: number): void {
    this.#tell(['STOPPING=1', 'STATUS=finishing what is there', ...(mostMs > 0 ? [`EXTEND_TIMEOUT_USEC=${Math.ceil(mostMs) * 1000}`] : [])])
  }

  status(text: string): void {
    this.#tell([`STATUS=${oneLine(text)}`])
  }

  /** From now on the service is that process: said by the old one, before it drains. */
  mainPid(pid: number): void {
    this.#tell([`MAINPID=${pid}`])
  }

  /**
   * Says twice per watchdog interval that all is well, as long as the event loop turns and `isWell` says so. Only where the unit file
   * has a watchdog, and it is meant for this process.
   */
  startWatchdog(isWell: () => boolean = () => true): void {
    const us = watchdogUs(this.#options)
    if (us === null || this.#path === null || this.#watchdog) return
    const beat = () => isWell() && this.#tell(['WATCHDOG=1'])
    beat()
    this.#watchdog = setInterval(beat, Math.max(1, us / 2000))
    this.#watchdog.unref()
  }

  stopWatchdog(): void {
    clearInterval(this.#watchdog)
    this.#watchdog = undefined
  }

  #tell(lines: string[]): void {
    if (this.#path === null) return
    try {
      this.#options.send(this.#path, lines.join('\n'))
      this.#hasFailed = false
    } catch (error) {
      // One line per outage: the watchdog would repeat it for ever.
      if (!this.#hasFailed) this.#options.log(`systemd does not hear: ${(error as Error).message}`)
      this.#hasFailed = true
    }
  }
}

/** Microseconds between signs of life that systemd asks of this process; null when it asks for none. */
export function watchdogUs({ env, pid }: Pick<SystemdOptions, 'env' | 'pid'>): number | null {
  const { WATCHDOG_USEC: us = '', WATCHDOG_PID: of = String(pid) } = env
  return /^[1-9]\d{0,14}$/.test(us) && of === String(pid) ? Number(us) : null
}

/** uv_hrtime reads CLOCK_MONOTONIC, which is the clock that systemd compares with. */
function monotonicUs(): bigint {
  return process.hrtime.bigint() / 1000n
}

/** A line feed would begin a statement of its own. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ')
}
