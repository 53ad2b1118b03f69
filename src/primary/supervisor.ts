/** Runs the workers: forks them, hands them their orders, brings changes to all of them or to none, replaces those that die. */

import cluster from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { entryPoint } from '../shared/base/program-files.ts'
import type { WorkerStatus } from '../shared/control/data.ts'
import type { Serve, ToPrimary, ToWorker, WorkerQuestion } from '../shared/ipc/protocol.ts'
import { Ballot } from './ballot.ts'
import type { Board } from './board.ts'
import type { Fleet } from './fleet.ts'
import type { SocketsOfWorkers } from './socket-passing.ts'
import { countEarlyDeaths, restartDelayMs } from './worker-lifecycle.ts'
import { WorkerProcess } from './worker-process.ts'

/** What differs from worker to worker is added when it is sent. */
export type OrderWithoutState = Omit<Serve, 'state' | 'inherited' | 'passed'>

export interface SupervisorOptions {
  workers: number
  board: Board
  /** What each worker inherits, and how later sockets reach it. */
  sockets: SocketsOfWorkers
  /** The order for the worker of one column, but for what is known of the servers and what it inherited. */
  order(column: number): OrderWithoutState
  fleet: Fleet
  log(line: string): void
}

/** How long all workers together may take to say whether they could serve an order. */
const BALLOT_MS = 15_000
const ANSWER_MS = 3_000
/** Heartbeats come four times a second. */
const STALLED_MS = 3_000
/** A worker whose event loop has not turned for so long serves nobody, and its connections are better broken. */
const HOPELESS_MS = 30_000
const LOOK_MS = 500
/** How often a stop that takes long says what it waits for. */
const PROGRESS_MS = 5_000

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #workers = new Map<number, WorkerProcess>()
  /** By column. */
  readonly #history = new Map<number, { restarts: number; lastEnd: string | null; next: NodeJS.Timeout | undefined }>()
  readonly #look: NodeJS.Timeout
  #isStopping = false
  #hasStarted = false
  #ballot: Ballot | undefined
  #questions = 0
  readonly #asked = new Map<number, (answer: unknown) => void>()

  constructor(options: SupervisorOptions) {
    this.#options = options
    cluster.setupPrimary({
      exec: fileURLToPath(entryPoint('main')),
      args: ['worker'],
      serialization: 'advanced',
    })
    this.#look = setInterval(() => this.#watchStalls(), LOOK_MS).unref()
  }

  /** Forks all workers. Settles when all of them serve, or when one cannot: then nothing is left running. */
  async start(): Promise<void> {
    const columns = Array.from({ length: this.#options.workers }, (_, column) => column)
    const ballot = new Ballot(columns, 0)
    this.#ballot = ballot
    for (const column of columns) this.#fork(column, 0)
    try {
      await ballot.result
      this.#hasStarted = true
    } catch (error) {
      this.kill()
      throw error
    } finally {
      this.#ballot = undefined
    }
  }

  get pids(): number[] {
    return this.#listening().map((worker) => worker.pid)
  }

  status(): WorkerStatus[] {
    const { board } = this.#options
    return [...this.#workers.values()]
      .sort((a, b) => a.column - b.column)
      .map((worker) => {
        const { restarts = 0, lastEnd = null } = this.#history.get(worker.column) ?? {}
        return { ...worker.status(STALLED_MS), ...board.activityOf(worker.column), restarts, lastEnd }
      })
  }

  tell(message: ToWorker): void {
    for (const worker of this.#listening()) worker.send(message)
  }

  /** Servers came or went: everybody gets an order anew. */
  reorder(): void {
    for (const worker of this.#listening()) this.#order(worker)
  }

  /** What every worker that serves answers, with its number from 1. One that says nothing in time is left out. */
  async ask<T>(question: WorkerQuestion): Promise<{ worker: number; answer: T }[]> {
    const answers = this.#listening().map(async (worker) => {
      const answer = await this.#askOne(worker, question)
      return answer === undefined || answer === null ? [] : [{ worker: worker.column + 1, answer: answer as T }]
    })
    return (await Promise.all(answers)).flat()
  }

  /** Whether every worker could serve this order. Rejects, and all goes on as before, when one cannot, dies or says nothing. */
  async prepare(order: (column: number) => OrderWithoutState): Promise<void> {
    const { generation } = order(0)
    const voters = this.#listening()
    const ballot = this.#vote(voters, generation)
    for (const worker of voters) worker.send({ type: 'prepare', order: this.#whole(order(worker.column), worker) })
    try {
      await ballot.result
    } catch (error) {
      this.tell({ type: 'abort', generation })
      throw error
    } finally {
      this.#ballot = undefined
    }
  }

  /** Everybody serves what was prepared; `order` makes the same order by now. Settles when all do. */
  async commit(generation: number): Promise<void> {
    const { sockets } = this.#options
    const voters = this.#listening()
    const ballot = this.#vote(voters, generation)
    for (const worker of voters) {
      const passed = sockets.pass(worker, this.#options.order(worker.column).sockets)
      if (worker.preparedGeneration === generation) worker.send({ type: 'commit', generation, passed })
      else worker.send({ ...this.#whole(this.#options.order(worker.column), worker), passed })
    }
    // Whoever does not manage now is replaced by one that begins with this order.
    await ballot.result.catch((error: Error) => this.#options.log(`after the change: ${error.message}`))
    this.#ballot = undefined
  }

  #vote(voters: readonly WorkerProcess[], generation: number): Ballot {
    this.#ballot = new Ballot(
      voters.map(({ column }) => column),
      generation,
      BALLOT_MS,
    )
    return this.#ballot
  }

  /** Settles when every worker has finished what it had, at the latest after the grace. 0 is no deadline. */
  async stop(graceMs: number, spreadMs: number): Promise<void> {
    this.#end()
    const gone = [...this.#workers.values()].map((worker) => worker.gone)
    for (const worker of this.#workers.values()) worker.stop(graceMs, spreadMs)
    // A worker whose event loop hangs does not keep its own deadline.
    const deadline = graceMs > 0 ? setTimeout(() => this.#nameWhoHangs(), graceMs + 1000) : undefined
    const progress = setInterval(() => this.#tellWhatIsOpen(), PROGRESS_MS)
    await Promise.all(gone)
    clearInterval(progress)
    clearTimeout(deadline)
  }

  kill(): void {
    this.#end()
    for (const worker of this.#workers.values()) worker.kill()
  }

  #end(): void {
    this.#isStopping = true
    clearInterval(this.#look)
    for (const { next } of this.#history.values()) clearTimeout(next)
  }

  #tellWhatIsOpen(): void {
    const all = [...this.#workers.keys()].map((column) => this.#options.board.activityOf(column))
    const sum = (of: 'connections' | 'tunnels') => all.reduce((total, one) => total + one[of], 0)
    this.#options.log(`still open: ${sum('connections')} connections, ${sum('tunnels')} of them tunnels`)
  }

  #nameWhoHangs(): void {
    for (const worker of this.#workers.values()) {
      const { connections, tunnels } = this.#options.board.activityOf(worker.column)
      this.#options.log(
        `worker ${worker.column + 1} did not end in time, with ${connections} connections and ${tunnels} tunnels: it is killed`,
      )
    }
    this.kill()
  }

  #fork(column: number, earlyDeaths: number): void {
    if (this.#isStopping) return
    const worker = new WorkerProcess(column, this.#options.sockets, {
      earlyDeaths,
      // The start of all of them is told in one line; what comes later is news.
      log: (line) => this.#hasStarted && this.#options.log(line),
      heard: (message) => this.#hear(worker, message),
      ended: (how) => this.#bury(worker, how),
    })
    this.#workers.set(column, worker)
  }

  #hear(worker: WorkerProcess, message: ToPrimary): void {
    const { fleet, log } = this.#options
    switch (message.type) {
      case 'hello':
        // Stopped before it began: it has nothing to finish.
        if (this.#isStopping) worker.kill()
        else this.#welcome(worker)
        return
      case 'heartbeat':
        fleet.heard(worker.column, message)
        return
      case 'answer':
        this.#asked.get(message.id)?.(message.answer)
        return
      case 'refused':
        this.#ballot?.refuse(message.reason)
        log(`worker ${worker.column + 1}: refused generation ${message.generation}: ${message.reason}`)
        return
      case 'prepared':
      case 'ready':
        this.#ballot?.agree(worker.column, message.generation)
    }
  }

  #welcome(worker: WorkerProcess): void {
    this.#options.fleet.join(worker.column, (message) => worker.send(message))
    this.#order(worker)
  }

  #order(worker: WorkerProcess): void {
    const order = this.#options.order(worker.column)
    // Sockets that it was not born with come first.
    const passed = this.#options.sockets.pass(worker, order.sockets)
    worker.send({ ...this.#whole(order, worker), passed })
  }

  #whole(order: OrderWithoutState, worker: WorkerProcess): Serve {
    return { ...order, state: this.#options.fleet.table.whole(), inherited: worker.inherited, passed: [] }
  }

  #bury(worker: WorkerProcess, how: string): void {
    const { board, fleet } = this.#options
    this.#workers.delete(worker.column)
    board.clearColumn(worker.column)
    fleet.leave(worker.column)
    const history = this.#history.get(worker.column) ?? { restarts: 0, lastEnd: null, next: undefined }
    this.#history.set(worker.column, history)
    history.lastEnd = how
    this.#ballot?.refuse(`worker ${worker.column + 1} ended (${how})`)
    if (this.#isStopping) return
    history.restarts++
    const earlyDeaths = countEarlyDeaths(worker.earlyDeaths, worker.livedMs)
    history.next = setTimeout(() => this.#fork(worker.column, earlyDeaths), restartDelayMs({ ms: worker.livedMs, earlyDeaths }))
  }

  #askOne(worker: WorkerProcess, question: WorkerQuestion): Promise<unknown> {
    const id = ++this.#questions
    return new Promise((resolve) => {
      const settle = (answer: unknown) => {
        clearTimeout(late)
        this.#asked.delete(id)
        resolve(answer)
      }
      const late = setTimeout(() => settle(undefined), ANSWER_MS)
      this.#asked.set(id, settle)
      worker.gone.then(() => settle(undefined))
      worker.send({ type: 'ask', id, question })
    })
  }

  #watchStalls(): void {
    for (const worker of this.#workers.values()) {
      const silentMs = worker.noteSilence(STALLED_MS)
      if (silentMs < HOPELESS_MS) continue
      this.#options.log(`worker ${worker.column + 1} has not answered for ${Math.round(silentMs / 1000)} s: it is killed and replaced`)
      worker.kill()
    }
  }

  #listening(): WorkerProcess[] {
    return [...this.#workers.values()].filter((worker) => worker.isListening)
  }
}
