/** Stretches of time that are looked back over, each cut into slots. A slot that is over leaves its window as a whole. */
import type { WindowName } from '../../shared/statistics/live.ts'

export interface WindowLevel {
  name: Exclude<WindowName, 'total'>
  slotMs: number
  slots: number
}

export const levels: readonly WindowLevel[] = [
  { name: '10s', slotMs: 2_000, slots: 5 },
  { name: '1m', slotMs: 10_000, slots: 6 },
  { name: '5m', slotMs: 60_000, slots: 5 },
]

/** Slots of all levels together; those of one level begin at `firstSlot`. */
export const slotCount = levels.reduce((sum, { slots }) => sum + slots, 0)

export function firstSlot(level: number): number {
  return levels.slice(0, level).reduce((sum, { slots }) => sum + slots, 0)
}

/** The number of the slot that a moment is in, counted since the clock began. */
export function epochAt(level: number, nowMs: number): number {
  return Math.floor(nowMs / (levels[level] as WindowLevel).slotMs)
}

/** Where the slot of an epoch is among `slotCount`: it takes the place of the one that is too old by then. */
export function placeOf(level: number, epoch: number): number {
  const { slots } = levels[level] as WindowLevel
  // Epochs before the clock began are negative.
  return firstSlot(level) + (((epoch % slots) + slots) % slots)
}

/** Places of the slots that a window has at this moment, with the epoch that has to stand there. */
export function placesAt(window: WindowName, nowMs: number): { place: number; epoch: number }[] {
  const level = levels.findIndex(({ name }) => name === window)
  if (level < 0) return []
  const newest = epochAt(level, nowMs)
  return Array.from({ length: (levels[level] as WindowLevel).slots }, (_, age) => {
    return { place: placeOf(level, newest - age), epoch: newest - age }
  })
}

/** When the oldest slot of a window began. */
export function windowStart(window: WindowName, nowMs: number): number {
  const level = levels.findIndex(({ name }) => name === window)
  const { slotMs, slots } = levels[level] as WindowLevel
  return (epochAt(level, nowMs) - slots + 1) * slotMs
}
