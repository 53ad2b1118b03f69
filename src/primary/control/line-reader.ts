/** Lines of what a client sends, bounded in length. */

/** Why no line can be read any more. */
export type LineFault = 'too-long' | 'not-utf-8'

const NEWLINE = 10
/** Bytes that come one by one are put together after so many. */
const MOST_PARTS = 256
const decoder = new TextDecoder('utf-8', { fatal: true })

export class LineReader {
  readonly #mostBytes: number
  #parts: Buffer[] = []
  #length = 0

  /** `mostBytes`: of one line without its end. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** There is the beginning of a line. */
  get isMidLine(): boolean {
    return this.#length > 0
  }

  /** Takes bytes over and answers the lines that are complete with them. After a fault nothing is to be read any more. */
  push(bytes: Buffer): { lines: string[]; fault: LineFault | null } {
    const lines: string[] = []
    let rest = bytes
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      if (this.#length + end > this.#mostBytes) return { lines, fault: 'too-long' }
      const line = decoded(Buffer.concat([...this.#parts, rest.subarray(0, end)]))
      if (line === null) return { lines, fault: 'not-utf-8' }
      lines.push(line)
      this.#parts = []
      this.#length = 0
      rest = rest.subarray(end + 1)
    }
    if (rest.length > 0) this.#parts.push(rest)
    if (this.#parts.length > MOST_PARTS) this.#parts = [Buffer.concat(this.#parts)]
    this.#length += rest.length
    return { lines, fault: this.#length > this.#mostBytes ? 'too-long' : null }
  }
}

/** null: no UTF-8. Not `toString`, which would make another name of a broken one. */
function decoded(bytes: Buffer): string | null {
  try {
    return decoder.decode(bytes).replace(/\r$/, '')
  } catch {
    return null
  }
}
