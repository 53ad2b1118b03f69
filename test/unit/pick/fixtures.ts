import type { BoardView, PickServer } from '../../../src/worker/pick/picker.ts'

/** Servers with slots 0, 1, … and the given weights. */
export function servers(weights: readonly number[], changes: Record<number, Partial<PickServer>> = {}): PickServer[] {
  return weights.map((weight, slot) => ({ slot, weight, maxConnections: null, backup: false, ...changes[slot] }))
}

/** A board whose counters stand apart and not at the start, as on the real one. */
export function board(size: number, loads: readonly number[] = []): BoardView {
  const view = { inFlight: new Int32Array(size * 3 + 3).fill(1_000_000), stride: 3, offset: 2 }
  for (let slot = 0; slot < size; slot++) setLoad(view, slot, loads[slot] ?? 0)
  return view
}

export function setLoad(view: BoardView, slot: number, load: number): void {
  view.inFlight[slot * view.stride + view.offset] = load
}

export function addLoad(view: BoardView, slot: number, change: number): void {
  const at = slot * view.stride + view.offset
  view.inFlight[at] = (view.inFlight[at] ?? 0) + change
}

/** Same numbers in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
