/**
 * Statistics as the primary uses them: a thread keeps and builds, the primary only says what rows are called. The thread begins with
 * the first question, or with `start`; from then on it looks at the board every two seconds.
 */
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { machineMs } from '../../shared/base/clock.ts'
import { entryPoint } from '../../shared/base/program-files.ts'
import type { WindowName } from '../../shared/statistics/live.ts'
import type { ExpositionFormat } from './exposition-writer.ts'
import type { Facts } from './facts.ts'
import type { WatchedRow } from './keeper.ts'
import type { ServerLatency } from './latencies.ts'
import { SharedResults } from './shared-result.ts'
import type { ThreadData } from './statistics-thread.ts'

/** Also the length of the shortest slot: see windows.ts. */
const TICK_MS = 2_000
const MOST_WAITING = 64

export interface StatisticsOptions extends ThreadData {
  /** Gathered anew for each view and scrape. */
  facts(): Facts
  /** Of them only the rows, which is all that it takes to keep. */
  rows(): WatchedRow[]
  log(line: string): void
}

/** Of the last minute, in microseconds. */
export interface Latencies {
  all: ServerLatency | null
  /** By `upstream/server`. */
  servers: Map<string, ServerLatency>
}

export class Statistics {
  readonly #options: StatisticsOptions
  readonly #scrapes: SharedResults<ExpositionFormat, Uint8Array>
  readonly #views: SharedResults<WindowName, Uint8Array>
  readonly #latencies: SharedResults<'1m', Latencies>
  #thread: Piscina | undefined
  #timer: NodeJS.Timeout | undefined
  #isTicking = false
  #hasLooked = false
  #isFailing = false
  #isStopped = false

  constructor(options: StatisticsOptions) {
    this.#options = options
    const facts = () => options.facts()
    // Building may take a twentieth of the thread's time at most, whoever asks how often.
    const usual = { now: machineMs, freshMs: (tookMs: number) => Math.min(1_000, Math.max(250, tookMs * 20)) }
    this.#scrapes = new SharedResults((format) => this.#run<Uint8Array>('scrape', { facts: facts(), format }), usual)
    this.#views = new SharedResults((window) => this.#run<Uint8Array>('live', { facts: facts(), window }), usual)
    this.#latencies = new SharedResults(() => this.#run<Latencies>('latencies', { rows: options.rows() }), usual)
  }

  /** Begins to keep; a question does so, too. */
  start(): void {
    if (this.#timer !== undefined || this.#isStopped) return
    this.#timer = setInterval(() => void this.#tick(), TICK_MS).unref()
    void this.#tick()
  }

  /** What a scraper gets, in UTF-8. Several askers share one. */
  scrape(format: ExpositionFormat): Promise<Uint8Array> {
    return this.#scrapes.get(format)
  }

  /** A LiveView as JSON. Several askers share one. */
  live(window: WindowName): Promise<Uint8Array> {
    return this.#views.get(window)
  }

  /** Something has changed that a view shows: the next one is made anew. */
  renewViews(): void {
    this.#views.renew()
  }

  /** Nothing before it was kept: then it begins. */
  latencies(): Promise<Latencies> {
    if (this.#hasLooked) return this.#latencies.get('1m')
    this.start()
    return Promise.resolve({ all: null, servers: new Map() })
  }

  /** Ends the thread; what it was asked is not answered. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#timer)
    await this.#thread?.destroy()
  }

  async #tick(): Promise<void> {
    // A thread that is behind is not asked for more.
    if (this.#isTicking) return
    this.#isTicking = true
    try {
      await this.#run('tick', { rows: this.#options.rows() })
      this.#isFailing = false
      this.#hasLooked = true
    } catch (error) {
      if (!this.#isFailing && !this.#isStopped) this.#options.log(`statistics: ${(error as Error).message}`)
      this.#isFailing = true
    } finally {
      this.#isTicking = false
    }
  }

  async #run<T>(name: string, task: object): Promise<T> {
    if (this.#isStopped) throw new Error('weir is stopping: there are no statistics any more')
    this.#thread ??= this.#begin()
    this.start()
    return (await this.#thread.run({ ...task, nowMs: machineMs() }, { name })) as T
  }

  #begin(): Piscina {
    const { boardFd, columns } = this.#options
    return new Piscina({
      filename: fileURLToPath(entryPoint('primary/statistics/statistics-thread')),
      workerData: { boardFd, columns } satisfies ThreadData,
      minThreads: 1,
      maxThreads: 1,
      maxQueue: MOST_WAITING,
      concurrentTasksPerWorker: 1,
    })
  }
}
