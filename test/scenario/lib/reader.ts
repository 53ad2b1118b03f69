/** Reads bytes of a socket piece by piece, with a deadline on every wait. */
import type { Socket } from 'node:net'

/** The other side closed or reset before the bytes that were waited for had come. */
export class Broken extends Error {
  readonly received: Buffer
  readonly reset: boolean

  constructor(what: string, received: Buffer, reset: boolean) {
    const last = JSON.stringify(received.subarray(0, 300).toString('latin1'))
    super(`the connection was ${reset ? 'reset' : 'closed'} while waiting for ${what}, after ${last}`)
    this.received = received
    this.reset = reset
  }
}

export const USUAL_WAIT_MS = 15_000

export class Reader {
  /** Joined when somebody looks: a large body comes in many pieces. */
  #parts: Buffer[] = []
  #length = 0
  #ended = false
  #reset = false
  #wake: (() => void)[] = []
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes) => this.#take(bytes))
    socket.on('end', () => this.#finish(false))
    socket.on('close', () => this.#finish(false))
    socket.on('error', (error: NodeJS.ErrnoException) => this.#finish(error.code !== undefined))
  }

  /** Bytes that came and were not read yet. */
  get pending(): Buffer {
    return this.#bytes
  }

  get #bytes(): Buffer {
    if (this.#parts.length !== 1) this.#parts = [Buffer.concat(this.#parts)]
    return this.#parts[0] as Buffer
  }

  get ended(): boolean {
    return this.#ended
  }

  get wasReset(): boolean {
    return this.#reset
  }

  /** Exactly `count` bytes. */
  async take(count: number, what = `${count} bytes`, within = USUAL_WAIT_MS): Promise<Buffer> {
    await this.#until(() => this.#length >= count, what, within)
    return this.#cut(count)
  }

  /** Everything up to and with the mark, as latin1 text. */
  async takeUntil(mark: string, what = JSON.stringify(mark), within = USUAL_WAIT_MS): Promise<string> {
    await this.#until(() => this.#bytes.includes(mark), what, within)
    return this.#cut(this.#bytes.indexOf(mark) + mark.length).toString('latin1')
  }

  /** Whatever has come, at least one byte; empty at the end. */
  async takeSome(within = USUAL_WAIT_MS): Promise<Buffer> {
    await this.#settle(() => this.#length > 0 || this.#ended, 'some bytes', within)
    return this.#cut(this.#length)
  }

  /** Everything up to the end of the connection. */
  async takeRest(within = USUAL_WAIT_MS): Promise<Buffer> {
    await this.#settle(() => this.#ended, 'the end of the connection', within)
    return this.#cut(this.#length)
  }

  async #until(fact: () => boolean, what: string, within: number): Promise<void> {
    await this.#settle(() => fact() || this.#ended, what, within)
    if (!fact()) throw new Broken(what, this.#bytes, this.#reset)
  }

  async #settle(fact: () => boolean, what: string, within: number): Promise<void> {
    const end = Date.now() + within
    while (!fact()) {
      const left = end - Date.now()
      if (left <= 0)
        throw new Error(
          `${what} did not come within ${within} ms; so far: ${JSON.stringify(this.#bytes.subarray(0, 300).toString('latin1'))}`,
        )
      await this.#change(left)
    }
  }

  #change(atMost: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, atMost)
      this.#wake.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #take(bytes: Buffer): void {
    this.#parts.push(bytes)
    this.#length += bytes.length
    this.#notify()
  }

  #finish(reset: boolean): void {
    this.#ended = true
    this.#reset ||= reset
    this.#notify()
  }

  #notify(): void {
    const waiting = this.#wake
    this.#wake = []
    for (const wake of waiting) wake()
  }

  #cut(count: number): Buffer {
    const bytes = this.#bytes
    this.#parts = [bytes.subarray(count)]
    this.#length = bytes.length - count
    return bytes.subarray(0, count)
  }

  /** Stops taking bytes from the kernel, so that the sender feels backpressure. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }
}
