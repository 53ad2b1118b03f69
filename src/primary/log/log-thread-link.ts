/** The log thread as the primary sees it: started when it is needed, and again when it ends by itself. */
import { Worker } from 'node:worker_threads'
import { entryPoint } from '../../shared/base/program-files.ts'
import type { LogThreadData } from './log-thread.ts'
import type { FromLogThread, ToLogThread } from './messages.ts'

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 30_000
/** A thread that lived so long begins anew with short pauses. */
const LONG_LIFE_MS = 60_000

/** What is needed of a thread: replaced as a whole by tests. */
export interface Thread {
  post(message: ToLogThread): void
  end(): void
}

export interface ThreadEvents {
  message(message: FromLogThread): void
  /** It ended by itself, with the reason in words. */
  died(why: string): void
}

export type StartThread = (data: LogThreadData, events: ThreadEvents) => Thread

export interface LinkOptions {
  data: LogThreadData
  /** A new thread is there, which knows nothing. */
  started(): void
  heard(message: FromLogThread): void
  /** What it was asked is lost. */
  died(): void
  log(line: string): void
  start?: StartThread
}

export class LogThreadLink {
  readonly #options: LinkOptions
  #thread: Thread | undefined
  #startedMs = 0
  #pauseMs = FIRST_PAUSE_MS
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  constructor(options: LinkOptions) {
    this.#options = options
  }

  get isRunning(): boolean {
    return this.#thread !== undefined
  }

  /** Starts it, unless it runs or waits for its next start. */
  need(): void {
    if (this.#thread === undefined && this.#timer === undefined && !this.#isOver) this.#start()
  }

  /** Nothing happens while there is no thread: a new one is told everything. */
  post(message: ToLogThread): void {
    this.#thread?.post(message)
  }

  end(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#thread?.end()
    this.#thread = undefined
  }

  #start(): void {
    this.#timer = undefined
    this.#startedMs = performance.now()
    const start = this.#options.start ?? startThread
    this.#thread = start(this.#options.data, {
      message: (message) => this.#options.heard(message),
      died: (why) => this.#died(why),
    })
    this.#options.started()
  }

  #died(why: string): void {
    if (this.#thread === undefined) return
    this.#thread = undefined
    this.#options.died()
    if (this.#isOver) return
    if (performance.now() - this.#startedMs > LONG_LIFE_MS) this.#pauseMs = FIRST_PAUSE_MS
    this.#options.log(`the log thread ended by itself: ${why}; another one starts in ${this.#pauseMs} ms`)
    this.#timer = setTimeout(() => this.#start(), this.#pauseMs)
    this.#timer.unref()
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
  }
}

const startThread: StartThread = (data, events) => {
  const { href } = entryPoint('primary/log/log-thread')
  // Where sources run as they are, a thread knows nothing of TypeScript before somebody tells it.
  const source = `import('tsx/esm/api').then((tsx) => (tsx.register(), import('${href}')))`
  // Descriptors come from the primary, which closes them itself where the thread did not.
  const options = { name: 'weir-log', workerData: data, trackUnmanagedFds: false }
  const worker = href.endsWith('.ts') ? new Worker(source, { ...options, eval: true }) : new Worker(new URL(href), options)
  let why = 'it returned'
  worker.on('message', events.message)
  worker.on('error', (error) => {
    why = error instanceof Error ? error.message : String(error)
  })
  worker.on('exit', () => events.died(why))
  // The workers keep the process alive, not what is written about them.
  worker.unref()
  return { post: (message) => worker.postMessage(message), end: () => void worker.terminate() }
}
