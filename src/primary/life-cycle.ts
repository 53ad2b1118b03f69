/** What happens to this process as a whole: its doors for operators, an upgrade, its end. */
import type { Addon } from '../native/contract.ts'
import type { StatusData, UpgradeData } from '../shared/control/data.ts'
import { ControlError } from '../shared/control/requests.ts'
import { defaultSocketPath } from '../shared/control/socket-path.ts'
import { type AdminServer, openAdmin } from './admin/server.ts'
import type { Configuration } from './configuration.ts'
import { type ControlSocket, openControlSocket } from './control/control-socket.ts'
import type { Operation } from './control/operation.ts'
import type { Fleet } from './fleet.ts'
import type { Listeners } from './listening-sockets.ts'
import type { AccessLog } from './log/access-log.ts'
import type { Overrides } from './overrides.ts'
import { claimPidFile, type PidFile, takeOverPidFile } from './pid-file.ts'
import type { Statistics } from './statistics/statistics.ts'
import type { Supervisor } from './supervisor.ts'
import type { Systemd } from './systemd.ts'
import type { TlsKeeper } from './tls/tls-keeper.ts'
import { startSuccessor } from './upgrade.ts'

export interface LifeCycleOptions {
  configuration: Configuration
  listeners: Listeners
  fleet: Fleet
  supervisor: Supervisor
  systemd: Systemd
  overrides: Overrides
  statistics: Statistics
  tls: Pick<TlsKeeper, 'handedTicketKeys' | 'stop'>
  accessLog: Pick<AccessLog, 'close'>
  native: Pick<Addon, 'peerOf'>
  log(line: string): void
}

export interface StopOptions {
  /** undefined: that of the config. 0 is no deadline. */
  graceMs?: number | undefined
  /** Somebody sits at the terminal: nobody else needs to be told first, and idle connections need not go one by one. */
  isHasty?: boolean
}

export class LifeCycle {
  readonly #options: LifeCycleOptions
  #state: StatusData['state'] = 'running'
  #since = new Date()
  #isServing = false
  #control: ControlSocket | undefined
  #admin: AdminServer | undefined
  #pidFile: PidFile | undefined
  #isSucceeded = false
  #wake: (() => void) | undefined
  #upgrade: AbortController | undefined

  constructor(options: LifeCycleOptions) {
    this.#options = options
  }

  get state(): StatusData['state'] {
    return this.#state
  }

  /** Since when it is in its state. */
  get stateSince(): Date {
    return this.#since
  }

  /** Opens what operators and watchers use. A successor takes over from the process before it later: see `succeed`. Throws an Error. */
  async openDoors(operation: Operation, isSuccessor: boolean): Promise<void> {
    if (isSuccessor) return
    const { pidFile } = this.#options.configuration.source.config
    if (pidFile !== null) this.#pidFile = claimPidFile(pidFile, process.pid)
    await this.#openControl(operation, false)
    await this.#openAdmin(operation)
  }

  #enter(state: StatusData['state']): void {
    this.#state = state
    this.#since = new Date()
  }

  /** Everything serves. A successor has been let go by the process before it, and takes what only one of them can have. */
  async succeed(operation: Operation, isSuccessor: boolean): Promise<void> {
    this.#isServing = true
    if (!isSuccessor) return
    const { pidFile } = this.#options.configuration.source.config
    await this.#attempt(() => {
      if (pidFile !== null) this.#pidFile = takeOverPidFile(pidFile, process.pid)
    })
    await this.#attempt(() => this.#openControl(operation, true))
    await this.#attempt(() => this.#openAdmin(operation))
  }

  /** It serves; to end now would be worse than to go on without this. */
  async #attempt(open: () => void | Promise<void>): Promise<void> {
    try {
      await open()
    } catch (error) {
      this.#options.log((error as Error).message)
    }
  }

  closeDoors(): void {
    const { fleet, listeners, tls } = this.#options
    fleet.stop()
    tls.stop()
    listeners.close(this.#isSucceeded)
    this.#control?.close()
    this.#admin?.close()
    this.#pidFile?.release()
    void this.#options.statistics.stop()
  }

  async reloading<T>(work: () => Promise<T>): Promise<T> {
    const { systemd } = this.#options
    this.#enter('reloading')
    systemd.reloading()
    try {
      return await work()
    } finally {
      if (this.#state === 'reloading') this.#enter('running')
      systemd.ready('serving')
    }
  }

  /** Throws ControlError when another process has taken over: what were changed here would be lost. */
  requireOwn(): void {
    if (this.#isSucceeded) throw new ControlError('refused', 'another process has taken over: ask again')
    if (this.#state === 'upgrading') throw new ControlError('refused', 'an upgrade is on its way: ask again when it is over')
  }

  /** Starts the program anew on these sockets, and ends this one when the new one serves. Throws ControlError, and goes on. */
  async upgrade(): Promise<UpgradeData> {
    this.requireOwn()
    if (this.#state === 'stopping') throw new ControlError('refused', 'this weir is stopping')
    const { listeners, overrides, systemd, tls, log } = this.#options
    const startMs = performance.now()
    this.#enter('upgrading')
    this.#upgrade = new AbortController()
    log('upgrade: starting the program anew')
    try {
      const { pid, release } = await startSuccessor({
        sockets: listeners.handed(),
        state: overrides.state(),
        ticketKeys: tls.handedTicketKeys(),
        signal: this.#upgrade.signal,
        log,
      })
      systemd.mainPid(pid)
      this.#isSucceeded = true
      const tookMs = Math.round(performance.now() - startMs)
      log(`upgrade: process ${pid} serves now; this one finishes what it has`)
      // After the answer to whoever asked.
      setImmediate(() => {
        this.#admin?.close()
        // The control socket stays until the new one has put its own in its place.
        release()
        if (this.#state !== 'stopping') this.stop('upgrade', {})
      })
      return { pid, tookMs }
    } finally {
      if (this.#state === 'upgrading') this.#enter('running')
    }
  }

  /**
   * Finishes what is there, then ends the process with 0. Answers the grace in milliseconds; 0 is no deadline. A second call does not
   * wait for anything.
   */
  stop(why: string, { graceMs, isHasty = false }: StopOptions): number {
    const { configuration, supervisor, systemd, log } = this.#options
    const { shutdown } = configuration.source.config
    const grace = graceMs ?? shutdown.graceMs
    if (this.#state === 'stopping') {
      log(`${why} again: ending at once`)
      supervisor.kill()
      this.#wake?.()
      return 0
    }
    this.#enter('stopping')
    // Who is asked to end is not to be followed by another one.
    if (!this.#isSucceeded) this.#upgrade?.abort()
    const delayMs = isHasty || this.#isSucceeded ? 0 : shutdown.delayMs
    const spreadMs = isHasty ? 0 : grace === 0 ? shutdown.spreadMs : Math.min(shutdown.spreadMs, grace / 2)
    systemd.stopWatchdog()
    if (!this.#isSucceeded) systemd.stopping(grace === 0 ? 0 : grace + delayMs)
    log(`${why}: finishing what is there${grace > 0 ? `, for at most ${grace / 1000} s` : ''}`)
    void this.#end({ delayMs, grace, spreadMs })
    return grace
  }

  async #end({ delayMs, grace, spreadMs }: { delayMs: number; grace: number; spreadMs: number }): Promise<void> {
    if (delayMs > 0) await this.#pause(delayMs)
    // Closed first: a connection that nobody will accept must be refused, not left waiting in the kernel's queue.
    const stopped = this.#options.supervisor.stop(grace, spreadMs)
    this.closeDoors()
    await stopped
    await this.#options.accessLog.close()
    process.exit(0)
  }

  /** A second signal ends it. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async #openControl(operation: Operation, takeOver: boolean): Promise<void> {
    const { configuration, native, log } = this.#options
    const { isOn, socket } = configuration.source.config.control
    if (!isOn) return
    const path = socket ?? defaultSocketPath(process.env, process.getuid?.() ?? 0)
    try {
      this.#control = await openControlSocket(path, operation, { takeOver, peerOf: (fd) => native.peerOf(fd) })
    } catch (error) {
      if (socket !== null) throw error
      // Nobody asked for this path: balancing goes on without commands.
      log(`no control socket: ${(error as Error).message}`)
    }
  }

  async #openAdmin(operation: Operation): Promise<void> {
    const { configuration, statistics, log } = this.#options
    const { admin } = configuration.source.config
    if (admin === null) return
    const ready = () => ({
      isReady: this.#isServing && this.#state !== 'stopping',
      why: this.#isServing ? this.#state : 'starting',
    })
    this.#admin = await openAdmin({ config: admin, operation, statistics, ready })
    log(`the HTTP interface is at http://${this.#admin.address}`)
    // Somebody will ask what came in the last minutes.
    statistics.start()
  }
}
