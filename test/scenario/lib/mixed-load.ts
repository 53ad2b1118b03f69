/** An open-loop load of GETs and POSTs over a fixed number of keep-alive connections. Nothing is tried again. */
import type { Socket } from 'node:net'
import { openSocket } from './transport.ts'
import { type Scope, until } from './wait.ts'

export interface MixedLoad {
  readonly sent: number
  readonly answered: number
  /** What came instead of the right answer. */
  readonly failures: readonly string[]
  /** Connections that ended. */
  readonly lost: number
  /** Answers by the version of the server that gave them. */
  readonly versions: ReadonlyMap<string, number>
  /** Sends no more and waits until each request was answered or failed. */
  stop(): Promise<void>
}

export interface MixedLoadOptions {
  port: number
  /** Requests per second, every other one a POST. */
  rate: number
  /** Keep-alive connections. A request that is due while all are busy waits for one. */
  clients: number
}

const TICK_MS = 2

/** Sends until it is stopped or the scope ends. */
export function startMixedLoad(scope: Scope, options: MixedLoadOptions): MixedLoad {
  const load = new Load(options)
  scope.after(() => load.end())
  return load
}

interface Lane {
  socket: Socket
  /** The answer that has to come; '' when it is free. */
  expected: string
  text: string
}

class Load implements MixedLoad {
  sent = 0
  answered = 0
  lost = 0
  readonly failures: string[] = []
  readonly versions = new Map<string, number>()
  readonly #options: MixedLoadOptions
  readonly #startedAt = performance.now()
  readonly #lanes = new Set<Lane>()
  readonly #free: Lane[] = []
  #hasEnded = false
  readonly #timer: NodeJS.Timeout

  constructor(options: MixedLoadOptions) {
    this.#options = options
    for (let i = 0; i < options.clients; i++) this.#open()
    this.#timer = setInterval(() => this.#sendDue(), TICK_MS)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await until(() => this.answered + this.failures.length >= this.sent, { within: 8_000, what: 'every request has an answer' })
  }

  end(): void {
    this.#hasEnded = true
    clearInterval(this.#timer)
    for (const { socket } of this.#lanes) socket.destroy()
  }

  #sendDue(): void {
    const due = ((performance.now() - this.#startedAt) / 1_000) * this.#options.rate
    for (let lane = this.sent < due ? this.#free.shift() : undefined; lane !== undefined; ) {
      const number = this.sent++
      const body = `order ${number}`
      lane.expected = number % 2 === 0 ? `GET /${number} ` : `POST /${number} ${body}`
      const head = `${lane.expected.split(' ', 2).join(' ')} HTTP/1.1\r\nHost: load\r\n`
      lane.socket.write(number % 2 === 0 ? `${head}\r\n` : `${head}Content-Length: ${body.length}\r\n\r\n${body}`)
      lane = this.sent < due ? this.#free.shift() : undefined
    }
  }

  #open(): void {
    const { socket } = openSocket({ port: this.#options.port, host: '127.0.0.1', noDelay: true })
    const lane: Lane = { socket, expected: '', text: '' }
    this.#lanes.add(lane)
    this.#free.push(lane)
    lane.socket.setEncoding('latin1')
    lane.socket.on('data', (text: string) => this.#take(lane, text))
    lane.socket.on('error', () => undefined)
    lane.socket.on('close', () => this.#lose(lane))
  }

  #take(lane: Lane, text: string): void {
    lane.text += text
    const head = lane.text.indexOf('\r\n\r\n')
    if (head < 0) return
    const fields = lane.text.slice(0, head + 2)
    const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(fields)?.[1] ?? 0)
    const body = lane.text.slice(head + 4)
    if (body.length < length) return
    if (body === lane.expected && fields.startsWith('HTTP/1.1 200 ')) {
      this.answered++
      const version = /\r\nx-version: (\S+)\r\n/i.exec(fields)?.[1] ?? 'none'
      this.versions.set(version, (this.versions.get(version) ?? 0) + 1)
    } else this.failures.push(`${lane.expected}: ${fields.slice(9, 12)} ${body.slice(0, 60)}`)
    Object.assign(lane, { expected: '', text: '' })
    this.#free.push(lane)
  }

  #lose(lane: Lane): void {
    this.lost++
    if (lane.expected !== '') this.failures.push(`${lane.expected}: its connection ended`)
    this.#lanes.delete(lane)
    const place = this.#free.indexOf(lane)
    if (place >= 0) this.#free.splice(place, 1)
    // A client that was closed while idle comes back.
    if (!this.#hasEnded) this.#open()
  }
}
