import { connect, type Socket } from 'node:net'
import { type Answer, type DataOf, type RequestOf, type VerbName, verbs } from '../shared/control/requests.ts'
import { CommandError, Interrupted, NotReachable, unreachable } from './control-errors.ts'

export interface AskOptions {
  /** Gets the data of each progress line. */
  onProgress?(data: unknown): void
  /** Gives up: the connection is closed, which also ends a wait at the other end, and the promise rejects with Interrupted. */
  signal?: AbortSignal
  /** Milliseconds until silence counts as not reachable. Without it the answer may take any time. */
  withinMs?: number
}

/** What a verb answers, with the envelope as it came. */
export interface Answered<V extends VerbName> {
  generation: number
  /** ISO 8601. */
  time: string
  data: DataOf<V>
  /** The whole envelope, without the line's end. */
  line: string
}

/** A connection to a running weir. It is opened anew when the one before has ended, so it outlives `weir upgrade`. */
export interface ControlClient {
  /** @throws CommandError what weir answers instead; NotReachable; Interrupted */
  ask<V extends VerbName>(verb: V, request: RequestOf<V>, options?: AskOptions): Promise<Answered<V>>
  close(): void
}

/** @throws NotReachable */
export async function connectControl(path: string): Promise<ControlClient> {
  let line: Line | null = await Line.open(path)
  // One question at a time: an answer needs no number then, and giving one up takes no other with it.
  let last: Promise<unknown> = Promise.resolve()
  const askNow = async <V extends VerbName>(verb: V, request: RequestOf<V>, options: AskOptions): Promise<Answered<V>> => {
    if (options.signal?.aborted === true) throw new Interrupted('interrupted')
    if (line === null || line.hasEnded) line = await Line.open(path)
    return line.ask(verb, request, options)
  }
  return {
    ask(verb, request, options = {}) {
      const answer = last.then(() => askNow(verb, request, options))
      last = answer.catch(() => undefined)
      return answer
    },
    close() {
      line?.end()
      line = null
    },
  }
}

// More than any answer has; what sends more is no weir.
const MOST_CHARACTERS = 256 * 2 ** 20

const halfDone = 'interrupted before weir has answered: "weir status" shows whether it was done'

/** One connection with at most one question on it. */
class Line {
  hasEnded = false
  readonly #path: string
  readonly #socket: Socket
  #text: string[] = []
  #length = 0
  #onLine: (line: string) => void = () => undefined
  #onEnd: (error: Error) => void = () => undefined

  private constructor(path: string, socket: Socket) {
    this.#path = path
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => this.#take(text))
    socket.on('close', () => this.#fail(new NotReachable(`weir at ${path} closed the connection before it answered`)))
  }

  static open(path: string): Promise<Line> {
    return new Promise((resolve, reject) => {
      const socket = connect(path)
      socket.once('error', (error) => reject(unreachable(path, error)))
      socket.once('connect', () => resolve(new Line(path, socket)))
      // A socket that breaks later closes as well, and that is told.
      socket.on('error', () => undefined)
    })
  }

  end(): void {
    this.hasEnded = true
    this.#socket.destroy()
  }

  async ask<V extends VerbName>(verb: V, request: RequestOf<V>, { onProgress, signal, withinMs }: AskOptions): Promise<Answered<V>> {
    const giveUp = () => this.#fail(new Interrupted(verbs[verb].isChange ? halfDone : 'interrupted'))
    const silence = () => this.#fail(new NotReachable(`weir at ${this.#path} did not answer within ${withinMs} ms`))
    const timer = withinMs === undefined ? undefined : setTimeout(silence, withinMs)
    signal?.addEventListener('abort', giveUp, { once: true })
    try {
      return await this.#exchange(JSON.stringify({ verb, ...(request as object) }), (data) => onProgress?.(data))
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
    }
  }

  #exchange<V extends VerbName>(question: string, onProgress: (data: unknown) => void): Promise<Answered<V>> {
    return new Promise((resolve, reject) => {
      this.#onEnd = reject
      this.#onLine = (line) => {
        const answer = parsed(line)
        if (answer === null) return this.#fail(new NotReachable(`what answers at ${this.#path} is not weir: ${line.slice(0, 80)}`))
        if ('error' in answer) return reject(new CommandError({ ...answer.error, line }))
        if (answer.schema === 'weir.progress/1') return onProgress(answer.data)
        resolve({ generation: answer.generation, time: answer.time, data: answer.data as DataOf<V>, line })
      }
      this.#socket.write(`${question}\n`)
    })
  }

  #take(text: string): void {
    const [first = '', ...others] = text.split('\n')
    this.#text.push(first)
    this.#length += first.length
    for (const next of others) {
      const line = this.#text.join('')
      this.#text = [next]
      this.#length = next.length
      this.#onLine(line)
    }
    if (this.#length > MOST_CHARACTERS) this.#fail(new NotReachable(`what answers at ${this.#path} is not weir: a line without an end`))
  }

  #fail(error: Error): void {
    this.end()
    this.#onEnd(error)
  }
}

function parsed(line: string): Answer | null {
  try {
    const answer = JSON.parse(line) as Partial<Answer> | null
    return typeof answer === 'object' && typeof answer?.schema === 'string' ? (answer as Answer) : null
  } catch {
    return null
  }
}
