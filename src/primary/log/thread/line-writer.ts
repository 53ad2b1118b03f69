/** Writes lines to a file, a pipe or a terminal, in their order and never in halves, however slow or broken that is. */
import { closeSync, write } from 'node:fs'
import type { OpenSink } from '../sink-file.ts'
import { type Block, BlockQueue } from './block-queue.ts'

/** So much waits in memory while nothing can be written; what comes then is lost. */
const MOST_WAITING = 8 * 1024 * 1024
/** A pipe is full until its reader goes on. */
const FULL_PAUSE_MS = 10
/** A disk that is full stays so for a while. */
const FAULT_PAUSE_MS = 500
/** Without a byte written for so long, people are told. */
const STALLED_MS = 2_000
const COMPLAIN_MS = 10_000
const NEWLINE = 10

export interface WriterOptions {
  sink: OpenSink
  say(line: string): void
  /** It is closed; by its `id`. */
  released(sink: number): void
}

export class LineWriter {
  written = 0
  bytes = 0
  lost = 0
  errors = 0
  readonly #options: WriterOptions
  readonly #queue = new BlockQueue(MOST_WAITING)
  #sink: OpenSink
  /** Takes the place of the other one as soon as no line is half written. */
  #next: OpenSink | null = null
  #isWriting = false
  #fault: string | null = null
  #progressMs = 0
  #complainedMs = Number.NEGATIVE_INFINITY
  #isComplaining = false
  #lostWhenSaid = 0
  #timer: NodeJS.Timeout | undefined
  #idle: (() => void)[] = []

  constructor(options: WriterOptions) {
    this.#options = options
    this.#sink = options.sink
  }

  /** Lets `read` write whole lines into a buffer; answers how many bytes, or null when there is no room: then they have to be lost. */
  fill(read: (room: Buffer) => number): number | null {
    const filled = this.#queue.fill(read)
    this.#go()
    return filled
  }

  /** Lines that found no room. */
  lose(count: number): void {
    this.lost += count
    this.#complain()
  }

  /** From now on it goes there. What was half written is finished first. */
  replace(sink: OpenSink): void {
    if (this.#next !== null) this.#release(this.#next)
    this.#next = sink
    if (!this.#isWriting) this.#turn()
  }

  /** Settles when nothing waits any more. */
  drained(): Promise<void> {
    if (this.#queue.isEmpty && !this.#isWriting) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** What waits is given up. */
  close(): void {
    clearTimeout(this.#timer)
    for (const sink of this.#next === null ? [this.#sink] : [this.#sink, this.#next]) this.#release(sink)
  }

  #go(): void {
    if (!this.#isWriting && this.#timer === undefined) this.#turn()
  }

  /** Writes the first block, or what is left of it. */
  #turn(): void {
    this.#timer = undefined
    if (this.#next !== null && (!this.#isMidLine() || this.#isStuck())) this.#switch(this.#next)
    const block = this.#queue.first()
    if (block === undefined) {
      this.#rest()
      return
    }
    this.#isWriting = true
    this.#queue.isFirstTaken = true
    this.#progressMs ||= performance.now()
    write(this.#sink.fd, block.bytes, block.at, block.end - block.at, null, (error, count) => {
      this.#isWriting = false
      this.#queue.isFirstTaken = false
      if (error !== null) this.#failed(error)
      else this.#wrote(block, count)
    })
  }

  #wrote(block: Block, count: number): void {
    this.bytes += count
    this.written += linesIn(block.bytes, block.at, block.at + count)
    block.at += count
    this.#progressMs = performance.now()
    this.#fault = null
    if (block.at === block.end) this.#queue.shift()
    this.#turn()
  }

  #failed({ code, message }: NodeJS.ErrnoException): void {
    const isFull = code === 'EAGAIN'
    if (!isFull) {
      this.errors++
      this.#fault = `${code ?? message}`
    }
    if (!isFull || performance.now() - this.#progressMs > STALLED_MS) this.#complain()
    this.#timer = setTimeout(() => this.#turn(), isFull ? FULL_PAUSE_MS : FAULT_PAUSE_MS)
  }

  /** The old place does not take the rest of a line. */
  #isStuck(): boolean {
    return this.#fault !== null || performance.now() - this.#progressMs > STALLED_MS
  }

  #isMidLine(): boolean {
    const block = this.#queue.first()
    return block !== undefined && block.at > 0 && block.bytes[block.at - 1] !== NEWLINE
  }

  /** A line that is half written in the old place is given up: the new one begins with a whole one. */
  #switch(next: OpenSink): void {
    const block = this.#queue.first()
    if (block !== undefined && this.#isMidLine()) {
      block.at = block.bytes.indexOf(NEWLINE, block.at) + 1
      this.lost++
      if (block.at === block.end) this.#queue.shift()
    }
    this.#release(this.#sink)
    this.#sink = next
    this.#next = null
    this.#fault = null
  }

  /** Nothing waits. */
  #rest(): void {
    this.#progressMs = 0
    if (this.#isComplaining) this.#recovered()
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  #release({ id, fd, isOwn }: OpenSink): void {
    if (!isOwn) return
    try {
      closeSync(fd)
    } catch {
      // An error of an earlier write that the file system kept for now; it is gone all the same.
    }
    this.#options.released(id)
  }

  #complain(): void {
    const now = performance.now()
    if (now - this.#complainedMs < COMPLAIN_MS) return
    this.#complainedMs = now
    this.#isComplaining = true
    const why = this.#fault === null ? 'nobody reads what is written there' : faultWords(this.#fault)
    const lost = this.#lostSinceSaid()
    this.#options.say(`access log ${this.#sink.name}: ${why}${lost === 0 ? '' : `; ${lost} lines are lost`}`)
  }

  #recovered(): void {
    this.#isComplaining = false
    const lost = this.#lostSinceSaid()
    this.#options.say(`access log ${this.#sink.name}: goes on${lost === 0 ? '' : `; ${lost} lines are lost`}`)
  }

  #lostSinceSaid(): number {
    const lost = this.lost - this.#lostWhenSaid
    this.#lostWhenSaid = this.lost
    return lost
  }
}

/** How many lines end between two places. */
export function linesIn(bytes: Uint8Array, from: number, to: number): number {
  const part = bytes.subarray(from, to)
  let count = 0
  // A search of the runtime's, which is ten times faster than a loop over bytes.
  for (let at = part.indexOf(NEWLINE); at !== -1; at = part.indexOf(NEWLINE, at + 1)) count++
  return count
}

function faultWords(code: string): string {
  const words: Record<string, string> = {
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    EIO: 'the disk has an error (EIO)',
    EFBIG: 'the file is as large as it may be (EFBIG): rotate it',
    EPIPE: 'nobody reads any more (EPIPE)',
  }
  return words[code] ?? `cannot be written (${code})`
}
