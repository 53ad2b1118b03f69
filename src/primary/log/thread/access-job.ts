/** The access log: every record as a line, in the place that the config names. */
import type { RecordFormat, RecordReader } from '../../../native/contract.ts'
import type { OpenSink } from '../sink-file.ts'
import type { Job } from './job.ts'
import { LineWriter, linesIn, type WriterOptions } from './line-writer.ts'

/** What one read may bring at most: there is more when it comes near. */
const LEAST_ROOM = 64 * 1024
/** So many reads in a row: others have their turn, too. */
const MOST_READS = 8

export interface AccessOptions extends WriterOptions {
  reader: RecordReader
  format: RecordFormat
  /** Also what is there already. */
  fromOldest: boolean
}

export class AccessJob implements Job {
  readonly #reader: RecordReader
  readonly #writer: LineWriter
  readonly #cursor: number
  readonly #scratch = Buffer.allocUnsafe(LEAST_ROOM)
  #sink: OpenSink

  constructor(options: AccessOptions) {
    this.#reader = options.reader
    this.#writer = new LineWriter(options)
    this.#sink = options.sink
    this.#cursor = options.reader.open(options.format, options.fromOldest)
  }

  get counts(): { written: number; bytes: number; lost: number; errors: number } {
    const { written, bytes, lost, errors } = this.#writer
    return { written, bytes, lost: lost + this.#reader.counts(this.#cursor).lost, errors }
  }

  /** What was not read yet has the new form; the new place follows the line that is being written. */
  change(format: RecordFormat, sink: OpenSink): void {
    this.#readAll()
    this.#reader.reformat(this.#cursor, format)
    if (sink.id === this.#sink.id) return
    this.#sink = sink
    this.#writer.replace(sink)
  }

  turn(): 'nothing' | 'some' | 'more' {
    let any = false
    for (let reads = 0; reads < MOST_READS; reads++) {
      const filled = this.#read()
      if (filled === 0) return any ? 'some' : 'nothing'
      any = true
      if (filled < LEAST_ROOM) return 'some'
    }
    return 'more'
  }

  /** Everything that is there by now is written, as far as that goes. */
  async end(): Promise<void> {
    this.#readAll()
    await this.#writer.drained()
  }

  close(): void {
    this.#reader.close(this.#cursor)
    this.#writer.close()
  }

  /** Answers how many bytes there were, also of those that were lost. */
  #read(): number {
    const filled = this.#writer.fill((room) => this.#reader.read(this.#cursor, room))
    if (filled !== null) return filled
    // What is not read would be overwritten: it is lost either way, but so it is counted at once.
    const dropped = this.#reader.read(this.#cursor, this.#scratch)
    this.#writer.lose(linesIn(this.#scratch, 0, dropped))
    return dropped
  }

  #readAll(): void {
    // Workers go on meanwhile: what comes later than this has another chance.
    for (let reads = 0; reads < 1_000 && this.#read() > 0; reads++);
  }
}
