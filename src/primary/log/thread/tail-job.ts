/** One live stream of records: those that an expression means, in batches that are asked for one by one. */
import { Script } from 'node:vm'
import type { RecordFormat, RecordReader } from '../../../native/contract.ts'
import { parseRecord, type RecordLine } from '../../../shared/records/record-line.ts'
import { parseWhere, type Where } from '../../../shared/records/where.ts'
import type { Job } from './job.ts'
import { linesOf } from './lines.ts'

const ROOM = 128 * 1024
/** Of one batch: the primary sends it on in one go. */
const MOST_RECORDS = 200
/** Regular expressions can take forever; a buffer of records may take so long, in milliseconds. */
const MATCH_MS = 250

export interface TailOptions {
  reader: RecordReader
  format: RecordFormat
  /** An expression that was checked. */
  where: string
  send(records: RecordLine[], lost: number): void
  fail(reason: string): void
}

export class TailJob implements Job {
  readonly #options: TailOptions
  readonly #where: Where
  readonly #cursor: number
  readonly #bytes = Buffer.allocUnsafe(ROOM)
  /** Those that are meant and were not sent yet. */
  #waiting: RecordLine[] = []
  #isAsked = true
  #hasFailed = false
  #lostTold = 0

  constructor(options: TailOptions) {
    this.#options = options
    this.#where = parseWhere(options.where)
    this.#cursor = options.reader.open(options.format, false)
  }

  /** The last batch has been read. */
  more(): void {
    this.#isAsked = true
  }

  reformat(format: RecordFormat): void {
    this.#options.reader.reformat(this.#cursor, format)
  }

  close(): void {
    this.#options.reader.close(this.#cursor)
  }

  /** While nobody asks for more nothing is read: what is overwritten then is counted as lost. */
  turn(): 'nothing' | 'some' | 'more' {
    if (!this.#isAsked || this.#hasFailed) return 'nothing'
    const filled = this.#waiting.length > 0 ? 0 : this.#read()
    const { lost } = this.#options.reader.counts(this.#cursor)
    if (this.#waiting.length > 0 || lost > this.#lostTold) {
      this.#lostTold = lost
      this.#isAsked = false
      this.#options.send(this.#waiting.splice(0, MOST_RECORDS), lost)
    }
    if (filled === 0) return 'nothing'
    return filled > ROOM / 2 ? 'more' : 'some'
  }

  #read(): number {
    const { reader, fail } = this.#options
    const filled = reader.read(this.#cursor, this.#bytes)
    if (filled === 0) return 0
    try {
      this.#waiting = this.#matching(linesOf(this.#bytes, filled))
    } catch (error) {
      this.#hasFailed = true
      fail(isLate(error) ? 'its regular expression takes too long: make it simpler' : (error as Error).message)
    }
    return filled
  }

  #matching(lines: string[]): RecordLine[] {
    const find = () => lines.map(parseRecord).filter((record) => record !== null && this.#where.matches(record)) as RecordLine[]
    return this.#where.hasRegex ? withinTime(find, MATCH_MS) : find()
  }
}

const call = new Script('weirBounded()')
const scope = globalThis as { weirBounded?: () => unknown }

/** Only code that a script calls can be ended from outside, regular expressions included. Throws an Error when it is late. */
function withinTime<T>(work: () => T, ms: number): T {
  scope.weirBounded = work
  try {
    return call.runInThisContext({ timeout: ms }) as T
  } finally {
    delete scope.weirBounded
  }
}

function isLate(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}
