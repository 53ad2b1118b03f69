import { randomBytes } from 'node:crypto'

/** Of the engine: see Engine.setTicketKeys. */
const KEY_BYTES = 80
const KEPT = 2

/** How long the newest key encrypts. Tickets live for twice as long, at most. */
export const rotateMs = 12 * 3_600_000

/** As they travel to a successor, in memory and over a channel of its own only. */
export interface TicketKeysState {
  /** Base64, the newest first. */
  keys: string[]
  /** When the newest was made, in milliseconds since 1970. */
  sinceMs: number
}

/** Keys of session tickets: random, a new one every 12 hours, the one before is still taken. */
export class TicketKeys {
  #keys: Uint8Array[]
  #sinceMs: number

  /** Goes on with keys of the weir before this one, where they are as they should be. */
  constructor(nowMs: number, state: unknown = null) {
    const handed = readState(state)
    this.#keys = handed?.keys ?? [newKey()]
    this.#sinceMs = Math.min(handed?.sinceMs ?? nowMs, nowMs)
  }

  /** The first one encrypts. */
  get keys(): readonly Uint8Array[] {
    return this.#keys
  }

  /** Makes a new key when it is time for one; whether it did. */
  rotate(nowMs: number): boolean {
    if (nowMs - this.#sinceMs < rotateMs) return false
    // After a long sleep the key before the newest is as old as that.
    const isStale = nowMs - this.#sinceMs >= KEPT * rotateMs
    this.#keys = isStale ? [newKey()] : [newKey(), ...this.#keys].slice(0, KEPT)
    this.#sinceMs = nowMs
    return true
  }

  state(): TicketKeysState {
    return { keys: this.#keys.map((key) => Buffer.from(key).toString('base64')), sinceMs: this.#sinceMs }
  }
}

function newKey(): Uint8Array {
  return new Uint8Array(randomBytes(KEY_BYTES))
}

/** Another version may hand over something else; then keys are made anew. */
function readState(state: unknown): { keys: Uint8Array[]; sinceMs: number } | null {
  const { keys, sinceMs } = (state ?? {}) as Partial<TicketKeysState>
  if (!Array.isArray(keys) || typeof sinceMs !== 'number') return null
  const read = keys.slice(0, KEPT).map((key) => new Uint8Array(Buffer.from(String(key), 'base64')))
  return read.length > 0 && read.every(({ length }) => length === KEY_BYTES) ? { keys: read, sinceMs } : null
}
