/** A worker process: obeys the primary, builds snapshots, runs the engine. */
import cluster from 'node:cluster'
import { abi } from '../native/abi.ts'
import { addon } from '../native/addon.ts'
import type { Engine } from '../native/contract.ts'
import { machineMs } from '../shared/base/clock.ts'
import { restoreFunctions } from '../shared/config/functions.ts'
import { loadPinned } from '../shared/config/load.ts'
import type { PinnedModule } from '../shared/config/pinned.ts'
import {
  BOARD_FD,
  FIRST_WAKER_FD,
  type Serve,
  type ToPrimary,
  type ToWorker,
  VERSION,
  type WorkerQuestion,
} from '../shared/ipc/protocol.ts'
import type { TlsMaterial } from '../shared/ipc/tls-material.ts'
import { answerTo } from './answer-to.ts'
import { ConnectionLife } from './connection-life.ts'
import { GossipReceiver } from './gossip-receiver.ts'
import { refusalLine } from './observe/refusal-line.ts'
import { RequestLife } from './request-life.ts'
import { Snapshot } from './snapshot.ts'
import { Sockets } from './sockets.ts'
import { stopGracefully } from './stop.ts'
import { AppliedTls } from './tls-material.ts'

const BEAT_MS = 250

/** Boots this process as a worker. Returns at once; the channel to the primary and the engine keep it alive. */
export function runWorker(): void {
  const worker = new Worker()
  process.on('message', (message: ToWorker) => worker.obey(message))
  // The primary speaks for all of us; a Ctrl-C in a terminal reaches every process of the group.
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => {})
  process.on('SIGTERM', () => worker.stop(worker.graceMs))
  // Without this node:cluster would end the process at once when the primary dies; what is in flight may finish.
  if (cluster.worker) cluster.worker.exitedAfterDisconnect = true
  process.on('disconnect', () => worker.stop(worker.graceMs))
  tell({ type: 'hello' })
}

class Worker {
  graceMs = 25_000
  #engine: Engine | undefined
  #life: RequestLife | undefined
  #connectionLife: ConnectionLife | undefined
  #snapshot: Snapshot | undefined
  #receiver: GossipReceiver | undefined
  #sockets: Sockets | undefined
  #tls: AppliedTls | undefined
  /** An order that could be served, and waits for the word of the primary. */
  #prepared: Serve | undefined
  #isLoading = false
  /** What came while functions were loaded. */
  readonly #backlog: ToWorker[] = []
  #isStopping = false
  /** From 1. */
  #number = 0

  /** In their order: what comes after an order is about what that brings. Only the end does not wait. */
  obey(message: ToWorker): void {
    if (message.type === 'stop') this.stop(message.graceMs, message.spreadMs)
    else if (this.#isLoading) this.#backlog.push(message)
    else this.#handle(message)
  }

  #handle(message: ToWorker): void {
    switch (message.type) {
      case 'serve':
        this.#carryOut(
          message,
          () => this.#serve(message),
          (error) => this.#refuse(message.generation, error),
        )
        return
      case 'prepare': {
        const { order } = message
        const refuse = (error: unknown) => tell({ type: 'refused', generation: order.generation, reason: describe(error) })
        this.#carryOut(order, () => this.#prepare(order), refuse)
        return
      }
      case 'commit':
        if (this.#prepared?.generation === message.generation) this.#apply(this.#prepared, message.passed)
        this.#prepared = undefined
        return
      case 'abort':
        this.#prepared = undefined
        return
      case 'ask':
        tell({ type: 'answer', id: message.id, answer: this.#answer(message.question) })
        return
      case 'servers':
        this.#receiver?.apply(message)
        this.#beat()
        return
      case 'addresses':
        this.#snapshot?.relocate(message.server, message.addresses)
        return
      case 'tls':
        this.#applyTls(message.material)
        return
    }
  }

  stop(graceMs: number, spreadMs = 0): void {
    if (this.#isStopping) return
    this.#isStopping = true
    if (this.#engine === undefined) process.exit(0)
    stopGracefully(this.#engine, {
      graceMs,
      spreadMs,
      serverName: (slot) => this.#snapshot?.serverName(slot) ?? String(slot),
      log: (line) => this.#log(line),
    })
  }

  #log(line: string): void {
    process.stderr.write(`weir: worker ${this.#number}: ${line}\n`)
  }

  /** At once, but for a config with functions: they have to be loaded first. */
  #carryOut(order: Serve, work: () => void, refuse: (error: unknown) => void): void {
    const guarded = () => {
      try {
        work()
      } catch (error) {
        refuse(error)
      }
    }
    const { module, version } = order
    if (version !== VERSION) refuse(`the primary speaks version ${version} of the protocol, this worker ${VERSION}`)
    else if (module === null) guarded()
    else this.#load(order, module, guarded, refuse)
  }

  #load(order: Serve, module: PinnedModule, work: () => void, refuse: (error: unknown) => void): void {
    this.#isLoading = true
    const next = () => {
      this.#isLoading = false
      for (let message = this.#backlog.shift(); message !== undefined; message = this.#isLoading ? undefined : this.#backlog.shift())
        this.#handle(message)
    }
    loadPinned(module)
      .then((loaded) => {
        restoreFunctions(order.config, loaded)
        work()
      })
      .catch(refuse)
      .finally(next)
  }

  /** The first order: from then on this worker takes connections. Later ones change servers only, and need no agreement. */
  #serve(order: Serve): void {
    this.#number = order.column + 1
    this.#engine ??= this.#start(order)
    this.#sockets ??= new Sockets(this.#engine, order.inherited, order.columns)
    this.#apply(order, order.passed)
  }

  /** Compiles it and throws that away: what could fail has failed then, and nothing has changed. */
  #prepare(order: Serve): void {
    if (this.#engine === undefined || this.#snapshot === undefined) throw new Error('this worker does not serve yet')
    new Snapshot(order, this.#engine, this.#snapshot)
    this.#prepared = order
    tell({ type: 'prepared', generation: order.generation })
  }

  #apply(order: Serve, passed: string[]): void {
    const engine = this.#engine as Engine
    this.graceMs = order.config.shutdown.graceMs
    const snapshot = new Snapshot(order, engine, this.#snapshot ?? null)
    snapshot.activate()
    this.#snapshot = snapshot
    // Before anybody can connect, and before anything is sent to a server.
    this.#applyTls(order.tls)
    this.#receiver ??= new GossipReceiver((change) => this.#snapshot?.apply(change))
    this.#receiver.apply(order.state)
    // A snapshot begins with what is known already, whoever told it.
    snapshot.apply({ removed: [], servers: [...this.#receiver.servers()], breakers: [...this.#receiver.breakers()] })
    if (this.#life === undefined) {
      this.#connectionLife = new ConnectionLife(engine, snapshot, reportFunctionError)
      this.#life = new RequestLife(engine, snapshot, reportFunctionError)
    } else {
      this.#life.serve(snapshot)
      this.#connectionLife?.serve(snapshot)
    }
    this.#life.challenges.set(order.tls.challenges)
    this.#sockets?.apply(order.sockets, passed)
    tell({ type: 'ready', generation: order.generation })
    this.#beat()
  }

  /** Throws where something would be spoken in plain that must not be: better no worker than that. */
  #applyTls(material: TlsMaterial): void {
    const snapshot = this.#snapshot
    if (this.#engine === undefined || snapshot === undefined) return
    this.#tls ??= new AppliedTls(this.#engine)
    this.#life?.challenges.set(material.challenges)
    for (const fault of this.#tls.apply(material, snapshot.rows())) this.#log(fault)
  }

  #start(order: Serve): Engine {
    const { Engine } = addon()
    const engine = new Engine(
      { boardFd: BOARD_FD, workers: order.columns, column: order.column, wakers: wakerFds(order.columns) },
      {
        decide: (path) => (this.#life as RequestLife).decide(path),
        afterFailure: () => (this.#life as RequestLife).afterFailure(),
        finished: () => (this.#life as RequestLife).finished(),
        hedge: () => (this.#life as RequestLife).hedge(),
        decideTunnel: (serverName, alpn) => (this.#connectionLife as ConnectionLife).decide(serverName, alpn),
        tunnelFailed: () => (this.#connectionLife as ConnectionLife).afterFailure(),
        tunnelEnded: () => (this.#connectionLife as ConnectionLife).ended(),
        room: () => {
          // After the turn: a verdict takes effect at once then, and the next one that waits sees it.
          setImmediate(() => this.#snapshot?.room())
          return abi.verdict.answer
        },
        refused: (listener, reason, client, why, untold) => {
          const name = this.#snapshot?.listeners[listener]?.config.name ?? String(listener)
          process.stderr.write(refusalLine(name, reason, client, why, untold))
        },
      },
    )
    engine.start()
    setInterval(() => {
      this.#snapshot?.tick(machineMs())
      this.#beat()
    }, BEAT_MS)
    return engine
  }

  #answer(question: WorkerQuestion): unknown {
    return this.#engine === undefined ? null : answerTo(question, this.#engine)
  }

  /** What this worker has applied, so that the primary sees what it missed. */
  #beat(): void {
    if (this.#receiver !== undefined) tell(this.#receiver.heartbeat())
  }

  #refuse(generation: number, error: unknown): void {
    // Of no use as it is: the primary makes another one, and tries again.
    const refusal: ToPrimary = { type: 'refused', generation, reason: describe(error) }
    process.send?.(refusal, () => process.exit(1))
  }
}

function wakerFds(workers: number): number[] {
  return Array.from({ length: workers }, (_, column) => FIRST_WAKER_FD + column)
}

function tell(message: ToPrimary): void {
  if (process.connected) process.send?.(message)
}

/** A function of the user's config failed: the request gets a 500, the log says what and where. At most ten a second. */
function reportFunctionError(error: unknown): void {
  const second = Math.floor(Date.now() / 1000)
  if (second !== reported.second) reported = { second, count: 0 }
  if (reported.count++ >= 10) return
  const text = describe(error)
  process.stderr.write(`weir: worker ${process.pid}: a function of the configuration failed: ${text}\n`)
}

/** Whatever was thrown, in one line. */
function describe(error: unknown): string {
  try {
    if (error instanceof Error && typeof error.stack === 'string') return error.stack.split('\n').slice(0, 2).join(' ')
    return String(error)
  } catch {
    return 'something that cannot be shown was thrown'
  }
}
let reported = { second: 0, count: 0 }
