/** Records that people ask for later than the rings hold them: those that failed or were tried again, and the slowest. Pure. */
import { endedAtMs, parseRecord, type RecordLine } from '../../../shared/records/record-line.ts'

export interface KeptLimits {
  failed: number
  slow: number
  /** How long a slow one is kept. */
  slowMs: number
  /** Of the lines of each of the two. */
  bytes: number
}

export const keptLimits: KeptLimits = { failed: 2_000, slow: 500, slowMs: 5 * 60_000, bytes: 4 * 1024 * 1024 }

interface Kept {
  line: string
  atMs: number
  totalUs: number
}

export class KeptRecords {
  readonly #limits: KeptLimits
  /** Oldest first. */
  #failed: Kept[] = []
  #failedBytes = 0
  /** Fastest first. */
  #slow: Kept[] = []
  #slowBytes = 0
  #leastMs = 0

  constructor(limits: KeptLimits = keptLimits) {
    this.#limits = limits
  }

  /** From so many microseconds on a record is one of the slowest; 1 while there is room. */
  get slowUs(): number {
    return this.#slow.length < this.#limits.slow && this.#slowBytes < this.#limits.bytes ? 1 : (this.#slow[0]?.totalUs ?? 0) + 1
  }

  get oldestMs(): number | null {
    return this.#failed[0]?.atMs ?? null
  }

  add(line: string): void {
    const record = parseRecord(line)
    if (record === null) return
    const kept = { line, atMs: endedAtMs(record), totalUs: record.totalUs ?? 0 }
    if (hasTrouble(record)) this.#addFailed(kept)
    // A tunnel lasts as long as people want it to.
    else if (record.kind !== 'tunnel') this.#addSlow(kept)
  }

  /** Slow ones have their time; it is looked at now and then. */
  prune(nowMs: number): void {
    if (nowMs - this.#leastMs < 5_000) return
    this.#leastMs = nowMs
    this.#slow = this.#slow.filter(({ atMs }) => nowMs - atMs < this.#limits.slowMs)
    this.#slowBytes = this.#slow.reduce((sum, { line }) => sum + line.length, 0)
  }

  /** All with this request id, oldest first. */
  find(requestId: string): RecordLine[] {
    const text = JSON.stringify(requestId)
    return [...this.#failed, ...this.#slow]
      .filter(({ line }) => line.includes(text))
      .flatMap(({ line }) => parseRecord(line) ?? [])
      .filter((record) => record.requestId === requestId)
      .sort((one, other) => endedAtMs(one) - endedAtMs(other))
  }

  #addFailed(kept: Kept): void {
    this.#failed.push(kept)
    this.#failedBytes += kept.line.length
    while (this.#failed.length > this.#limits.failed || this.#failedBytes > this.#limits.bytes)
      this.#failedBytes -= this.#failed.shift()?.line.length ?? 0
  }

  #addSlow(kept: Kept): void {
    if (kept.totalUs < this.slowUs) return
    this.#slow.splice(placeFor(this.#slow, kept.totalUs), 0, kept)
    this.#slowBytes += kept.line.length
    while (this.#slow.length > this.#limits.slow || this.#slowBytes > this.#limits.bytes)
      this.#slowBytes -= this.#slow.shift()?.line.length ?? 0
  }
}

/** Somebody may ask what happened to it, other than that it was slow. */
function hasTrouble({ termination, status = 0, attempts = 1 }: RecordLine): boolean {
  return (termination ?? 'ok') !== 'ok' || status >= 500 || attempts > 1
}

/** In an ascending list, by halves. */
function placeFor(list: readonly Kept[], totalUs: number): number {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((list[middle] as Kept).totalUs < totalUs) low = middle + 1
    else high = middle
  }
  return low
}
