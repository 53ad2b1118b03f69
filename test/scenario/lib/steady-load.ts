/**
 * An open-loop client: GETs leave by the clock, whether earlier ones were answered or not, each on a connection that is free or on
 * a new one. Nothing is tried again, so every fault that the balancer lets through is seen.
 */
import type { Socket } from 'node:net'
import { openSocket } from './transport.ts'
import { type Scope, until } from './wait.ts'

export interface FailedRequest {
  /** When it was sent, and how long it took to fail, in milliseconds. */
  sentAt: number
  tookMs: number
  /** What came instead: a status, `broken` for a connection that ended, `refused`, `wrong answer`. */
  what: string
}

export interface SteadyLoad {
  readonly sent: number
  readonly answered: number
  readonly failures: readonly FailedRequest[]
  /** Requests without an answer so far. */
  readonly waiting: number
  readonly connections: number
  /** Longest that a request left behind its time: above a few dozen milliseconds the machine was too busy for this load. */
  readonly worstDelayMs: number
  /** Requests per second, as of now. */
  readonly rate: number
  /** From now on at this rate. */
  setRate(rate: number): void
  /** Answers to requests that were due at or after `from` and took at least this long. */
  slowerThan(ms: number, from?: number): number
  /** The time below which this share of the answers came, in milliseconds from when they were due. */
  quantile(share: number): number
  /** Runs something without sending meanwhile. What it did to connections is seen before the next request leaves. */
  undisturbed(action: () => void): void
  /** Sends no more and waits until each request was answered or failed. */
  stop(): Promise<void>
}

export interface LoadOptions {
  port: number
  /** Requests per second. */
  rate: number
  /** Connections at once. Without a free one, requests wait, and their time runs. */
  connections: number
}

const TICK_MS = 2
/** Open from the beginning. */
const FIRST_CONNECTIONS = 64

interface Lane {
  socket: Socket
  /** Number of its request; -1 when it is free. */
  number: number
  dueAt: number
  sentAt: number
  text: string
}

/** Sends until it is stopped or the scope ends. Times are those of `performance.now`. */
export function startLoad(scope: Scope, options: LoadOptions): SteadyLoad {
  const load = new Load(options)
  scope.after(() => load.end())
  return load
}

class Load implements SteadyLoad {
  sent = 0
  answered = 0
  failures: FailedRequest[] = []
  worstDelayMs = 0
  readonly #options: LoadOptions
  /** Since when the present rate holds, and the request that was due then. */
  #since = { at: performance.now(), number: 0 }
  readonly #lanes = new Set<Lane>()
  /** The one that was free longest comes first, so that none is idle for long. */
  #free: Lane[] = []
  /** When each answered request was due, and how long its answer took. */
  readonly #due: number[] = []
  #rate: number
  readonly #took: number[] = []
  #isPaused = false
  readonly #timer: NodeJS.Timeout

  constructor(options: LoadOptions) {
    this.#options = options
    this.#rate = options.rate
    for (let i = 0; i < FIRST_CONNECTIONS; i++) this.#free.push(this.#open())
    this.#timer = setInterval(() => this.#sendDue(), TICK_MS)
  }

  get waiting(): number {
    return this.sent - this.answered - this.failures.length
  }

  get connections(): number {
    return this.#lanes.size
  }

  get rate(): number {
    return this.#rate
  }

  setRate(rate: number): void {
    this.#since = { at: performance.now(), number: this.sent }
    this.#rate = rate
  }

  slowerThan(ms: number, from = 0): number {
    let count = 0
    for (let i = 0; i < this.#took.length; i++) if ((this.#took[i] as number) >= ms && (this.#due[i] as number) >= from) count++
    return count
  }

  quantile(share: number): number {
    const sorted = Float64Array.from(this.#took).sort()
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  }

  undisturbed(action: () => void): void {
    this.#isPaused = true
    action()
    // The second one runs after a whole turn of the event loop: every end of a connection that has arrived was handled.
    setImmediate(() =>
      setImmediate(() => {
        this.#isPaused = false
      }),
    )
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await until(() => this.waiting === 0, { within: 20_000, what: 'every request has an answer' })
  }

  end(): void {
    clearInterval(this.#timer)
    for (const { socket } of this.#lanes) socket.destroy()
  }

  #dueAt(number: number): number {
    return this.#since.at + ((number - this.#since.number) / this.#rate) * 1000
  }

  #sendDue(): void {
    const now = performance.now()
    while (!this.#isPaused && this.#dueAt(this.sent) <= now) {
      const lane = this.#freeLane()
      if (lane === undefined) return
      lane.dueAt = this.#dueAt(this.sent)
      this.worstDelayMs = Math.max(this.worstDelayMs, now - lane.dueAt)
      lane.number = this.sent++
      lane.sentAt = now
      lane.socket.write(`GET /${lane.number} HTTP/1.1\r\nHost: load\r\n\r\n`)
    }
  }

  #freeLane(): Lane | undefined {
    for (let lane = this.#free.shift(); lane !== undefined; lane = this.#free.shift()) if (!lane.socket.destroyed) return lane
    return this.#lanes.size < this.#options.connections ? this.#open() : undefined
  }

  #open(): Lane {
    const { socket } = openSocket({ port: this.#options.port, host: '127.0.0.1', noDelay: true })
    const lane: Lane = { socket, number: -1, dueAt: 0, sentAt: 0, text: '' }
    this.#lanes.add(lane)
    lane.socket.setEncoding('latin1')
    lane.socket.on('data', (text: string) => this.#take(lane, text))
    lane.socket.on('error', (error: NodeJS.ErrnoException) => this.#lose(lane, error.code === 'ECONNREFUSED' ? 'refused' : 'broken'))
    lane.socket.on('end', () => this.#lose(lane, 'broken'))
    lane.socket.on('close', () => this.#lose(lane, 'broken'))
    return lane
  }

  #take(lane: Lane, text: string): void {
    lane.text += text
    const head = lane.text.indexOf('\r\n\r\n')
    if (head < 0) return
    const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(lane.text.slice(0, head + 2))?.[1] ?? 0)
    const body = lane.text.slice(head + 4)
    if (body.length < length) return
    const status = lane.text.slice(9, 12)
    const isLast = /\r\nconnection: close\r\n/i.test(lane.text.slice(0, head + 2))
    // Bytes behind an answer or somebody else's answer: nothing on this connection can be believed any more.
    if (status === '200' && body !== `/${lane.number}`) this.#lose(lane, `wrong answer ${JSON.stringify(body.slice(0, 40))}`)
    else this.#settle(lane, status, isLast)
  }

  #settle(lane: Lane, status: string, isLast: boolean): void {
    if (status === '200') {
      this.answered++
      this.#due.push(lane.dueAt)
      this.#took.push(performance.now() - lane.dueAt)
    } else this.#fail(lane, status)
    lane.number = -1
    lane.text = ''
    // The server has said that it takes no further request here.
    if (isLast) this.#lose(lane, '')
    else this.#free.push(lane)
  }

  #lose(lane: Lane, what: string): void {
    if (lane.number >= 0) this.#fail(lane, what)
    lane.number = -1
    this.#lanes.delete(lane)
    lane.socket.destroy()
  }

  #fail({ sentAt }: Lane, what: string): void {
    this.failures.push({ sentAt, tookMs: Math.round(performance.now() - sentAt), what })
  }
}
