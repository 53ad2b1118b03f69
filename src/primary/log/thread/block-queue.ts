/** Bytes that wait to be written, in a bounded number of large blocks that are used again. */

const BLOCK = 256 * 1024
/** A line has room in what is left of a block, or another one is begun. */
const LEAST_ROOM = 64 * 1024

export interface Block {
  readonly bytes: Buffer
  /** Written up to here. */
  at: number
  /** Filled up to here. */
  end: number
}

export class BlockQueue {
  readonly #blocks: Block[] = []
  readonly #free: Buffer[] = []
  readonly #most: number
  /** The first one is being written: nothing is added to it. */
  isFirstTaken = false

  constructor(mostBytes: number) {
    this.#most = Math.max(2, Math.floor(mostBytes / BLOCK))
  }

  get isEmpty(): boolean {
    return this.#blocks.length === 0
  }

  /** Room for at least one line, or null when there is none. `fill` answers how many bytes it wrote. */
  fill(fill: (room: Buffer) => number): number | null {
    const open = this.#openBlock()
    if (open === null) return null
    const filled = fill(open.bytes.subarray(open.end))
    open.end += filled
    if (open.end === open.at) this.#dropLast()
    return filled
  }

  first(): Block | undefined {
    return this.#blocks[0]
  }

  shift(): void {
    const block = this.#blocks.shift()
    // Two are enough for a place that keeps up.
    if (block !== undefined && this.#free.length < 2) this.#free.push(block.bytes)
  }

  /** The last one stayed empty. */
  #dropLast(): void {
    const block = this.#blocks.pop()
    if (block !== undefined && this.#free.length < 2) this.#free.push(block.bytes)
  }

  #openBlock(): Block | null {
    const last = this.#blocks.at(-1)
    const isTaken = this.isFirstTaken && this.#blocks.length === 1
    if (last !== undefined && !isTaken && BLOCK - last.end >= LEAST_ROOM) return last
    if (this.#blocks.length >= this.#most) return null
    const block = { bytes: this.#free.pop() ?? Buffer.allocUnsafe(BLOCK), at: 0, end: 0 }
    this.#blocks.push(block)
    return block
  }
}
