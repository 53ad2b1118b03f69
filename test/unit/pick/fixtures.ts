import type { ServerState } from '../../../src/shared/ipc/server-state.ts'
import { NO_LATENCIES, PickContext } from '../../../src/worker/pick/pick-context.ts'
import type { BoardView, LatencyView, PickServer, PolicyName } from '../../../src/worker/pick/picker.ts'
import type { PickerOptions } from '../../../src/worker/pick/upstream-picker.ts'
import { UpstreamPicker } from '../../../src/worker/pick/upstream-picker.ts'

/** Servers with slots 0, 1, … and the given weights. */
export function servers(weights: readonly number[], changes: Record<number, Partial<PickServer>> = {}): PickServer[] {
  return weights.map((weight, slot) => {
    return { slot, id: `10.0.0.${slot}:80`, weight, maxConnections: null, tier: 0, zone: null, ...changes[slot] }
  })
}

export function picker(balance: PolicyName, list: readonly PickServer[], options: Partial<PickerOptions> = {}): UpstreamPicker {
  const hash = balance === 'consistent-hash' ? ({ key: { from: 'path' }, table: 'ring', boundedLoad: null } as const) : null
  return new UpstreamPicker({ balance, hash, servers: list, start: 0, zone: null, slowStart: null, ...options })
}

/** A healthy server with what differs. */
export function state(slot: number, changes: Partial<ServerState> = {}): ServerState {
  return {
    slot,
    version: 1,
    health: 'up',
    admin: 'ready',
    isStrict: false,
    isEjected: false,
    isProbing: false,
    weightShare: 1,
    warmSinceMs: 0,
    ...changes,
  }
}

/** A board whose counters stand apart and not at the start, as on the real one. */
export function board(size: number, loads: readonly number[] = []): BoardView {
  const view = { inFlight: new Int32Array(size * 3 + 3).fill(1_000_000), stride: 3, offset: 2 }
  for (let slot = 0; slot < size; slot++) setLoad(view, slot, loads[slot] ?? 0)
  return view
}

export function context(view: BoardView, changes: Partial<PickContext> = {}): PickContext {
  return Object.assign(new PickContext(view, NO_LATENCIES, seededRandom(1)), changes)
}

/** By slot, in microseconds. */
export function latencies(values: readonly number[]): LatencyView {
  return { read: (slot) => values[slot] ?? 0 }
}

export function loadOf(view: BoardView, slot: number): number {
  return view.inFlight[slot * view.stride + view.offset]!
}

export function setLoad(view: BoardView, slot: number, load: number): void {
  view.inFlight[slot * view.stride + view.offset] = load
}

export function addLoad(view: BoardView, slot: number, change: number): void {
  setLoad(view, slot, loadOf(view, slot) + change)
}

export function picks(from: UpstreamPicker, count: number, at: PickContext): number[] {
  return Array.from({ length: count }, () => from.pick(at))
}

export function counted(list: readonly number[], size: number): number[] {
  const counts = new Array<number>(size).fill(0)
  for (const slot of list) counts[slot]!++
  return counts
}

/** Picks while `open` exchanges stay in flight, the oldest of which ends when one begins; how often each server was picked. */
export function underLoad(
  from: UpstreamPicker,
  at: PickContext,
  { count, open, size }: { count: number; open: number; size: number },
): number[] {
  const running: number[] = new Array(open).fill(-1)
  const counts = new Array<number>(size).fill(0)
  for (let i = 0; i < count; i++) {
    const ended = running[i % open]!
    if (ended >= 0) addLoad(at.board, ended, -1)
    const slot = from.pick(at)
    if (slot >= 0) {
      addLoad(at.board, slot, 1)
      counts[slot]!++
    }
    running[i % open] = slot
  }
  return counts
}

/** Same numbers in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
