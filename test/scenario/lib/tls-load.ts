/** GETs over TLS by the clock, over connections that are each used for some of them, so that there are always new handshakes. */
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { connect as openTls } from 'node:tls'
import { type Scope, until } from './wait.ts'

export interface TlsLoadOptions {
  port: number
  /** Requests per second. */
  rate: number
  ca: string
  servername: string
  /** Requests on one connection before it is replaced. */
  perConnection?: number
}

export interface TlsLoad {
  readonly sent: number
  readonly answered: number
  /** Connections that were opened, and on how many of them a session was resumed. */
  readonly handshakes: number
  readonly resumed: number
  /** What went wrong, once per request. */
  readonly failures: readonly string[]
  /** Milliseconds in which this share of the answers came. */
  quantile(share: number): number
  /** Sends no more, and waits for the answers. */
  stop(): Promise<void>
  /** Closes its connections. */
  end(): void
}

const TICK_MS = 5
const MOST_AT_ONCE = 256

interface Lane {
  socket: TLSSocket
  used: number
  /** Path that was asked for; '' when none is. */
  path: string
  since: number
  text: string
}

/** Ends with the scope. */
export function startTlsLoad(scope: Scope, options: TlsLoadOptions): TlsLoad {
  const load = new Load(options)
  scope.after(() => load.end())
  return load
}

class Load implements TlsLoad {
  sent = 0
  answered = 0
  handshakes = 0
  resumed = 0
  readonly failures: string[] = []
  readonly #took: number[] = []
  readonly #options: TlsLoadOptions
  readonly #startedAt = performance.now()
  readonly #lanes = new Set<Lane>()
  readonly #free: Lane[] = []
  #session: Buffer | undefined
  readonly #timer: NodeJS.Timeout

  constructor(options: TlsLoadOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#sendDue(), TICK_MS)
  }

  quantile(share: number): number {
    const sorted = Float64Array.from(this.#took).sort()
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await until(() => this.answered + this.failures.length >= this.sent, { within: 8_000, what: 'every request has an answer' })
  }

  end(): void {
    clearInterval(this.#timer)
    for (const { socket } of this.#lanes) socket.destroy()
  }

  #sendDue(): void {
    const due = ((performance.now() - this.#startedAt) / 1_000) * this.#options.rate
    while (this.sent < due) {
      const lane = this.#free.shift() ?? (this.#lanes.size < MOST_AT_ONCE ? this.#open() : undefined)
      if (lane === undefined) return
      lane.path = `/${this.sent++}`
      lane.since = performance.now()
      lane.socket.write(`GET ${lane.path} HTTP/1.1\r\nHost: ${this.#options.servername}\r\n\r\n`)
    }
  }

  #open(): Lane {
    const { port, ca, servername } = this.#options
    // Every other connection resumes a session.
    const session = this.handshakes % 2 === 1 && this.#session !== undefined ? { session: this.#session } : {}
    const settings: ConnectionOptions = { host: '127.0.0.1', port, ca, servername, ...session }
    const lane: Lane = { socket: openTls(settings), used: 0, path: '', since: 0, text: '' }
    this.handshakes++
    this.#lanes.add(lane)
    lane.socket.setNoDelay(true).setEncoding('latin1')
    lane.socket.once('secureConnect', () => void (lane.socket.isSessionReused() && this.resumed++))
    lane.socket.on('session', (given) => {
      this.#session = given
    })
    lane.socket.on('data', (text: string) => this.#take(lane, text))
    lane.socket.on('error', (error) => this.#lose(lane, error.message))
    lane.socket.on('close', () => this.#lose(lane, 'its connection ended'))
    return lane
  }

  #take(lane: Lane, text: string): void {
    lane.text += text
    const head = lane.text.indexOf('\r\n\r\n')
    const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(lane.text)?.[1] ?? 0)
    if (head < 0 || lane.text.length < head + 4 + length) return
    if (lane.text.startsWith('HTTP/1.1 200 ') && lane.text.slice(head + 4) === lane.path) {
      this.answered++
      this.#took.push(performance.now() - lane.since)
    } else this.failures.push(`${lane.path}: ${lane.text.slice(0, 80)}`)
    Object.assign(lane, { path: '', text: '' })
    if (++lane.used < (this.#options.perConnection ?? 20)) this.#free.push(lane)
    else this.#lose(lane, '')
  }

  #lose(lane: Lane, why: string): void {
    if (!this.#lanes.delete(lane)) return
    if (lane.path !== '') this.failures.push(`${lane.path}: ${why}`)
    const place = this.#free.indexOf(lane)
    if (place >= 0) this.#free.splice(place, 1)
    lane.socket.destroy()
  }
}
