/** One client of the control socket: its requests in order, and an answer to each. */
import type { Socket } from 'node:net'
import { type Answer, ControlError } from '../../shared/control/requests.ts'
import { answerRequest, errorAnswer, progressAnswer } from './answer-request.ts'
import { answerHaproxy } from './haproxy/answer.ts'
import type { ControlLimits } from './limits.ts'
import { type LineFault, LineReader } from './line-reader.ts'
import type { Operation } from './operation.ts'
import type { Caller } from './verb.ts'

/** An answer is written in pieces, so that a client that reads slowly can be told from one that does not read. */
const PIECE = 64 * 1024

const faults: Record<LineFault, (limits: ControlLimits) => string> = {
  'too-long': ({ lineBytes }) => `a request has at most ${lineBytes} bytes`,
  'not-utf-8': () => 'the request is no valid UTF-8',
}

export interface ClientOptions {
  operation: Operation
  limits: ControlLimits
  /** See Caller. */
  who: string
}

export class Client {
  readonly #socket: Socket
  readonly #options: ClientOptions
  readonly #reader: LineReader
  readonly #gone = new AbortController()
  #lines: string[] = []
  #isRunning = false
  #isWriting = false
  /** Nothing more is read: it said all, or too much. */
  #isLast = false
  /** Its last line has no end: it is no request, as half a number is another number. */
  #isCut = false
  #speaksJson = false
  #lastProgress = ''
  #quietSince = performance.now()
  #lineSince = 0
  #writingSince = 0

  constructor(socket: Socket, options: ClientOptions) {
    this.#socket = socket
    this.#options = options
    this.#reader = new LineReader(options.limits.lineBytes)
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.on('end', () => this.#ended())
    // It went away: `close` follows.
    socket.on('error', () => undefined)
    socket.on('close', () => this.#gone.abort(new ControlError('failed', 'the client is gone')))
  }

  /** It waits for an answer, or one is on its way. */
  get isBusy(): boolean {
    return this.#isRunning || this.#isWriting
  }

  /** When its last request was answered, on the clock of `performance.now`. */
  get quietSince(): number {
    return this.#quietSince
  }

  /** Closes what has taken too long. */
  sweep(now: number): void {
    const { lineMs, idleMs, unreadMs } = this.#options.limits
    if (this.#isWriting && now - this.#writingSince > unreadMs) this.#socket.destroy()
    else if (this.isBusy) return
    else if (this.#reader.isMidLine && now - this.#lineSince > lineMs) this.refuse('the line did not end in time')
    else if (now - this.#quietSince > idleMs) this.refuse('closed after a long time without a request')
  }

  /** Tells why in one line, as far as the client reads, and closes. */
  refuse(message: string, code: 'failed' | 'bad-request' = 'failed'): void {
    const { operation } = this.#options
    if (!this.#isWriting) this.#socket.write(`${JSON.stringify(errorAnswer(operation, new ControlError(code, message)))}\n`)
    this.#socket.destroy()
  }

  /** Answers what runs with an error, where it can be ended, and closes as soon as it is answered. */
  leave(): void {
    this.#isLast = true
    this.#lines = []
    this.#gone.abort(new ControlError('failed', 'weir closes its control socket'))
    if (!this.isBusy) this.#socket.destroySoon()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #take(bytes: Buffer): void {
    if (this.#isLast) return
    const wasMidLine = this.#reader.isMidLine
    const { lines, fault } = this.#reader.push(bytes)
    if (this.#reader.isMidLine && (!wasMidLine || lines.length > 0)) this.#lineSince = performance.now()
    this.#lines.push(...lines)
    if (fault !== null) {
      this.refuse(faults[fault](this.#options.limits), 'bad-request')
      return
    }
    // What it has asked already comes first: it may send more when that is answered.
    if (this.#lines.length > 1) this.#socket.pause()
    void this.#run()
  }

  /** The client sends no more. Whether it still reads shows when something is written to it. */
  #ended(): void {
    this.#isCut = this.#reader.isMidLine && !this.#isLast
    this.#isLast = true
    if (this.#isRunning && this.#lastProgress !== '') this.#socket.write(this.#lastProgress)
    void this.#run()
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    for (let line = this.#lines.shift(); line !== undefined && !this.#socket.destroyed; line = this.#lines.shift()) {
      await this.#answer(line)
      // Thousands of requests in one packet are no reason for health checks to wait.
      await new Promise(setImmediate)
    }
    this.#isRunning = false
    this.#quietSince = performance.now()
    if (this.#isCut) this.refuse('the last line has no end', 'bad-request')
    else if (this.#isLast) this.#socket.destroySoon()
    else this.#socket.resume()
  }

  async #answer(line: string): Promise<void> {
    const { operation } = this.#options
    if (line.startsWith('{')) {
      this.#speaksJson = true
      const answer = await answerRequest(operation, line, this.#caller())
      this.#lastProgress = ''
      return this.#write(`${JSON.stringify(answer)}\n`)
    }
    // An empty line between requests means nothing; alone it asks HAProxy for help.
    if (this.#speaksJson && line.trim() === '') return
    const text = await answerHaproxy(operation, line, this.#caller())
    this.#isLast = true
    this.#lines = []
    return this.#write(text)
  }

  #caller(): Caller {
    const { operation, who } = this.#options
    return { who, signal: this.#gone.signal, progress: (data) => this.#progress(progressAnswer(operation, data)) }
  }

  #progress(answer: Answer): boolean {
    this.#lastProgress = `${JSON.stringify(answer)}\n`
    const isRead = this.#socket.writableLength === 0 && !this.#socket.destroyed
    if (isRead) this.#socket.write(this.#lastProgress)
    return isRead
  }

  /** Settles when the client has read it, or is gone. */
  async #write(text: string): Promise<void> {
    const bytes = Buffer.from(text)
    this.#isWriting = true
    for (let at = 0; at < bytes.length && !this.#socket.destroyed; at += PIECE) {
      this.#writingSince = performance.now()
      await new Promise<void>((resolve) => this.#socket.write(bytes.subarray(at, at + PIECE), () => resolve()))
    }
    this.#isWriting = false
  }
}
