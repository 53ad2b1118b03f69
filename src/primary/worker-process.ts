import cluster, { type Worker } from 'node:cluster'
import { type Machine, machine } from '../shared/base/machine.ts'
import type { ToPrimary, ToWorker } from '../shared/ipc/protocol.ts'
import type { SocketsOfWorkers } from './socket-passing.ts'
import { type WorkerState, workerLifecycle } from './worker-lifecycle.ts'

export interface WorkerEvents {
  /** Deaths in a row that came early, of those before it in its column. */
  earlyDeaths: number
  log(line: string): void
  heard(message: ToPrimary): void
  ended(how: string): void
}

/** One worker from its fork to its end. */
export class WorkerProcess {
  readonly column: number
  readonly earlyDeaths: number
  /** Settles when the process is no more. */
  readonly gone: Promise<void>
  /** Keys of the listening sockets that it was born with. */
  readonly inherited: string[]
  /** Those that it has by now. */
  sockets: Set<string>
  /** Our end of the socket that descriptors go over. */
  readonly channel: number
  /** Of the order that it could serve, and waits to be told to. */
  preparedGeneration = -1
  /** It said hello; messages reach it. */
  isListening = false
  readonly #worker: Worker
  readonly #life: Machine<WorkerState>
  readonly #log: (line: string) => void
  readonly #startedMs = performance.now()
  #generation = 0
  #heardMs = performance.now()
  #isStalled = false

  constructor(column: number, sockets: SocketsOfWorkers, { earlyDeaths, log, heard, ended }: WorkerEvents) {
    this.column = column
    this.earlyDeaths = earlyDeaths
    this.#log = log
    const birth = sockets.birth()
    this.inherited = birth.keys
    this.sockets = new Set(birth.keys)
    this.channel = birth.channel
    cluster.setupPrimary({ stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...birth.fds] })
    this.#worker = cluster.fork()
    birth.forked()
    this.#life = machine<WorkerState>(`worker ${column + 1}`, workerLifecycle, 'starting', log)
    this.#worker.on('message', (message: ToPrimary) => {
      this.#note(message)
      heard(message)
    })
    this.#worker.on('error', (error) => log(`worker ${column + 1}: ${error.message}`))
    this.gone = new Promise((resolve) => {
      this.#worker.once('exit', (code, signal) => {
        const how = signal ?? `exit ${code}`
        this.isListening = false
        this.#life.to('gone', how)
        sockets.buried(this)
        resolve()
        ended(how)
      })
    })
  }

  get pid(): number {
    return this.#worker.process.pid ?? 0
  }

  get livedMs(): number {
    return performance.now() - this.#startedMs
  }

  status(stalledMs: number) {
    const heardMs = Math.round(performance.now() - this.#heardMs)
    return {
      number: this.column + 1,
      pid: this.pid,
      state: this.#life.at,
      uptimeMs: Math.round(this.livedMs),
      generation: this.#generation,
      heardMs,
      isStalled: this.#life.at === 'ready' && heardMs > stalledMs,
    }
  }

  /** A worker that is on its way out hears nothing any more, which is no error. */
  send(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.send(message)
  }

  /** Finishes what it has. */
  stop(graceMs: number, spreadMs: number): void {
    if (this.#life.to('draining', 'stop') && this.isListening) this.send({ type: 'stop', graceMs, spreadMs })
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL')
  }

  /** Tells once when it falls silent and when it is back. Answers for how long it has been silent; 0 when that means nothing. */
  noteSilence(stalledMs: number): number {
    if (this.#life.at !== 'ready') return 0
    const silentMs = performance.now() - this.#heardMs
    const isStalled = silentMs > stalledMs
    if (isStalled && !this.#isStalled) this.#log(`worker ${this.column + 1} does not answer: its event loop is stalled (pid ${this.pid})`)
    if (!isStalled && this.#isStalled) this.#log(`worker ${this.column + 1} answers again`)
    this.#isStalled = isStalled
    return silentMs
  }

  #note(message: ToPrimary): void {
    this.#heardMs = performance.now()
    if (message.type === 'hello') this.isListening = true
    if (message.type === 'prepared') this.preparedGeneration = message.generation
    if (message.type !== 'ready') return
    this.#generation = message.generation
    if (this.#life.at === 'starting') this.#life.to('ready', `generation ${message.generation}`)
  }
}
