import { cut } from './table.ts'
import type { Terminal } from './terminal.ts'

/** How a wait goes: one line that is written anew on a terminal, elsewhere a line for each change. On standard error. */
export class LiveLine {
  readonly #terminal: Pick<Terminal, 'err' | 'errWidth'>
  readonly #isSilent: boolean
  #shown = ''

  constructor(terminal: Pick<Terminal, 'err' | 'errWidth'>, { isSilent }: { isSilent: boolean }) {
    this.#terminal = terminal
    this.#isSilent = isSilent
  }

  /** `clock` is what changes by itself all the time; it makes no new line where lines stay. */
  show(text: string, clock: string): void {
    if (this.#isSilent) return
    const { errWidth, err } = this.#terminal
    if (errWidth !== null) {
      // One column stays free: a full line would make some terminals go on to the next.
      err(`\r\u001b[K${cut(`${text}, ${clock}`, errWidth - 1)}`)
    } else if (text !== this.#shown) {
      err(`${text}\n`)
    }
    this.#shown = text
  }

  /** Takes the line away, so that what is said next stands in its place. */
  clear(): void {
    if (this.#shown !== '' && this.#terminal.errWidth !== null) this.#terminal.err('\r\u001b[K')
    this.#shown = ''
  }
}
