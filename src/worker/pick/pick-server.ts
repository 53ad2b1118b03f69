import { constants } from 'node:os'
import type { Excluded } from './eligible.ts'
import type { BoardView } from './picker.ts'
import type { UpstreamPicker } from './upstream-picker.ts'

/** How long a worker keeps away from a server that refused a connection. Only the primary calls a server down. */
export const DISTRUST_MS = 1000

const { EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL } = constants.errno
const ownShortage = new Set([EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL])

/** Whether a connect failed for want of something of our own, which says nothing about the server. */
export function isOwnShortage(errno: number): boolean {
  return ownShortage.has(errno)
}

/** Slot of the server to use, -1 when there is none. Better one that refused a moment ago than none at all. `random` as in `Policy`. */
export function pickServer(picker: UpstreamPicker, board: BoardView, nowMs: number, random: number, excluded: Excluded): number {
  const slot = picker.pick(board, nowMs, random, excluded)
  return slot >= 0 ? slot : picker.pick(board, Number.POSITIVE_INFINITY, random, excluded)
}
