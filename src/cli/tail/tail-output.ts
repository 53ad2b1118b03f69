/** What a live stream prints, and what it leaves out when nobody reads that fast. */
import { Value } from 'typebox/value'
import { type LogRecord, TailProgress } from '../../shared/control/record-data.ts'
import type { Screen } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { grouped } from '../words.ts'
import { recordText } from './record-text.ts'
import { safeJson } from './safe-json.ts'

/** What is printed and was not read yet; more is left out. */
const MOST_WAITING = 1024 * 1024

export class TailOutput {
  readonly #terminal: Terminal
  readonly #textOf: (record: LogRecord) => string
  /** Left out here, and by weir. */
  #skipped = 0
  #lost = 0
  #told = 0

  constructor(terminal: Terminal, { isJson, screen }: { isJson: boolean; screen: Screen }) {
    this.#terminal = terminal
    this.#textOf = isJson ? (record) => `${safeJson(JSON.stringify(record))}\n` : (record) => recordText(record, screen)
  }

  /** Gets the data of each progress line. */
  take(data: unknown): void {
    if (!Value.Check(TailProgress, data)) return
    this.#lost = data.lost
    if ((this.#terminal.outWaiting?.() ?? 0) > MOST_WAITING) {
      this.#skipped += data.records.length
      return
    }
    this.tellLost()
    this.#terminal.out(data.records.map(this.#textOf).join(''))
  }

  /** On standard error: it is no record. */
  tellLost(): void {
    const lost = this.#lost + this.#skipped
    if (lost === this.#told) return
    const more = lost - this.#told
    this.#told = lost
    this.#terminal.err(
      `weir: ${grouped(more)} ${more === 1 ? 'request is' : 'requests are'} not shown: they came faster than they were read\n`,
    )
  }
}
