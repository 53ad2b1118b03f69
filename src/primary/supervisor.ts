/** Runs the workers: forks them, hands them their orders, replaces those that die. */
import cluster, { type Worker } from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { type Machine, machine } from '../shared/base/machine.ts'
import type { Serve, ToPrimary, ToWorker } from '../shared/ipc/protocol.ts'
import type { Board } from './board.ts'
import type { Fleet } from './fleet.ts'
import { countEarlyDeaths, restartDelayMs, type WorkerState, workerLifecycle } from './worker-lifecycle.ts'

export interface SupervisorOptions {
  workers: number
  board: Board
  /** Descriptors that workers inherit, in order, from BOARD_FD on. */
  fds: number[]
  /** The order for the worker of one column, but for what is known of the servers. */
  order(column: number): Omit<Serve, 'state'>
  fleet: Fleet
  log(line: string): void
}

interface Slot {
  column: number
  worker: Worker
  life: Machine<WorkerState>
  /** It said hello; messages reach it. */
  isListening: boolean
  startedMs: number
  earlyDeaths: number
}

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #slots = new Map<number, Slot>()
  #isStopping = false
  #firstReady: { resolve(): void; reject(error: Error): void } | undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
    cluster.setupPrimary({
      exec: fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url)),
      args: ['worker'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...options.fds],
      serialization: 'advanced',
    })
  }

  /** Forks all workers. Settles when all of them serve, or when one cannot: then nothing is left running. */
  async start(): Promise<void> {
    const ready = new Promise<void>((resolve, reject) => {
      this.#firstReady = { resolve, reject }
    })
    for (let column = 0; column < this.#options.workers; column++) this.#fork(column, 0)
    try {
      await ready
    } catch (error) {
      this.kill()
      throw error
    } finally {
      this.#firstReady = undefined
    }
  }

  get pids(): number[] {
    return [...this.#slots.values()].map((slot) => slot.worker.process.pid ?? 0)
  }

  tell(message: ToWorker): void {
    for (const slot of this.#slots.values()) if (slot.isListening) send(slot, message)
  }

  /** Servers came or went: everybody gets an order anew. */
  reorder(): void {
    const { order, fleet } = this.#options
    for (const slot of this.#slots.values()) if (slot.isListening) send(slot, { ...order(slot.column), state: fleet.table.whole() })
  }

  /** Settles when every worker has finished what it had, at the latest after the grace. 0 is no deadline. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true
    const gone = [...this.#slots.values()].map((slot) => new Promise<void>((resolve) => slot.worker.once('exit', () => resolve())))
    for (const slot of this.#slots.values()) {
      if (slot.life.to('draining', 'stop') && slot.isListening && slot.worker.isConnected())
        slot.worker.send({ type: 'stop', graceMs } satisfies ToWorker)
    }
    // A worker whose event loop hangs does not keep its own deadline.
    const deadline = graceMs > 0 ? setTimeout(() => this.kill(), graceMs + 1000) : undefined
    await Promise.all(gone)
    clearTimeout(deadline)
  }

  kill(): void {
    this.#isStopping = true
    for (const slot of this.#slots.values()) slot.worker.process.kill('SIGKILL')
  }

  #fork(column: number, earlyDeaths: number): void {
    if (this.#isStopping) return
    const worker = cluster.fork()
    // The start of all of them is told in one line; what comes later is news.
    const log = (line: string) => this.#firstReady === undefined && this.#options.log(line)
    const life = machine<WorkerState>(`worker ${column + 1}`, workerLifecycle, 'starting', log)
    const slot: Slot = { column, worker, life, isListening: false, startedMs: Date.now(), earlyDeaths }
    this.#slots.set(column, slot)
    worker.on('message', (message: ToPrimary) => this.#hear(slot, message))
    worker.on('error', (error) => this.#options.log(`worker ${column + 1}: ${error.message}`))
    worker.on('exit', (code, signal) => this.#bury(slot, signal ?? `exit ${code}`))
  }

  #hear(slot: Slot, message: ToPrimary): void {
    if (message.type === 'hello') {
      slot.isListening = true
      // Stopped before it began: it has nothing to finish.
      if (this.#isStopping) slot.worker.process.kill('SIGKILL')
      else this.#welcome(slot)
      return
    }
    if (message.type === 'heartbeat') {
      this.#options.fleet.heard(slot.column, message)
      return
    }
    if (message.type === 'refused') {
      this.#firstReady?.reject(new Error(message.reason))
      this.#options.log(`worker ${slot.column + 1}: refused generation ${message.generation}: ${message.reason}`)
      return
    }
    if (slot.life.at === 'starting') slot.life.to('ready', `generation ${message.generation}`)
    const all = [...this.#slots.values()]
    if (all.length === this.#options.workers && all.every((one) => one.life.at === 'ready')) this.#firstReady?.resolve()
  }

  #welcome(slot: Slot): void {
    const { order, fleet } = this.#options
    const state = fleet.join(slot.column, (message) => send(slot, message))
    send(slot, { ...order(slot.column), state })
  }

  #bury(slot: Slot, how: string): void {
    slot.life.to('gone', how)
    this.#slots.delete(slot.column)
    this.#options.board.clearColumn(slot.column)
    this.#options.fleet.leave(slot.column)
    if (this.#isStopping) return
    if (this.#firstReady !== undefined) {
      this.#firstReady.reject(new Error(`a worker ended while it was starting (${how})`))
      return
    }
    const livedMs = Date.now() - slot.startedMs
    const earlyDeaths = countEarlyDeaths(slot.earlyDeaths, livedMs)
    setTimeout(() => this.#fork(slot.column, earlyDeaths), restartDelayMs({ ms: livedMs, earlyDeaths }))
  }
}

/** A worker that is on its way out hears nothing any more, which is no error. */
function send(slot: Slot, message: ToWorker): void {
  if (slot.worker.isConnected()) slot.worker.send(message)
}
