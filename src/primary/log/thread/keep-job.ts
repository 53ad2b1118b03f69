/** Fills KeptRecords: only records that failed or are among the slowest are formatted, all others the reader passes over. */
import type { RecordFormat, RecordReader } from '../../../native/contract.ts'
import type { Job } from './job.ts'
import type { KeptRecords } from './kept-records.ts'
import { linesOf } from './lines.ts'

const ROOM = 128 * 1024

export interface KeepOptions {
  reader: RecordReader
  format: RecordFormat
  kept: KeptRecords
  nowMs(): number
}

export class KeepJob implements Job {
  readonly #options: KeepOptions
  readonly #cursor: number
  readonly #bytes = Buffer.allocUnsafe(ROOM)
  #format: RecordFormat
  #slowUs: number

  constructor(options: KeepOptions) {
    this.#options = options
    this.#format = options.format
    this.#slowUs = options.kept.slowUs
    this.#cursor = options.reader.open(this.#picky(), true)
  }

  reformat(format: RecordFormat): void {
    this.#format = format
    this.#options.reader.reformat(this.#cursor, this.#picky())
  }

  close(): void {
    this.#options.reader.close(this.#cursor)
  }

  turn(): 'nothing' | 'some' | 'more' {
    const { reader, kept, nowMs } = this.#options
    kept.prune(nowMs())
    const filled = reader.read(this.#cursor, this.#bytes)
    for (const line of linesOf(this.#bytes, filled)) kept.add(line)
    if (kept.slowUs !== this.#slowUs) {
      this.#slowUs = kept.slowUs
      reader.reformat(this.#cursor, this.#picky())
    }
    if (filled === 0) return 'nothing'
    return filled > ROOM / 2 ? 'more' : 'some'
  }

  #picky(): RecordFormat {
    return { ...this.#format, share: 0, slowUs: this.#slowUs }
  }
}
