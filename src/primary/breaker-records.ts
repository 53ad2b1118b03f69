import { type BreakerState, digestOfBreaker } from '../shared/ipc/server-state.ts'

/** Breakers that are not closed, and those that closed so lately that a worker may not know. A part of ServerTable. */
export class BreakerRecords {
  readonly #open = new Map<string, BreakerState>()
  readonly #closed = new Map<string, BreakerState>()

  passOf(upstream: string): number {
    return this.#open.get(upstream)?.pass ?? 1
  }

  /** Takes the record over; answers what it changes in the digest. */
  set(state: BreakerState): number {
    const before = this.#open.get(state.upstream)
    const part = before === undefined ? 0 : digestOfBreaker(before)
    this.#open.delete(state.upstream)
    this.#closed.delete(state.upstream)
    if (state.pass === 1) {
      this.#closed.set(state.upstream, state)
      return part
    }
    this.#open.set(state.upstream, state)
    return part ^ digestOfBreaker(state)
  }

  open(): BreakerState[] {
    return [...this.#open.values()]
  }

  since(version: number): BreakerState[] {
    return [...this.#open.values(), ...this.#closed.values()].filter((state) => state.version > version)
  }

  /** Every worker knows what was said up to this version. */
  settle(confirmedVersion: number): void {
    for (const state of this.#closed.values()) if (state.version <= confirmedVersion) this.#closed.delete(state.upstream)
  }
}
