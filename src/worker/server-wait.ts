/** Where an exchange or a connection waits when there is no server for it now. */
import type { PickContext } from './pick/pick-context.ts'
import type { Upstream } from './upstream.ts'
import type { WaitingRoom } from './waiting-room.ts'

/** When one stops to be held or queued; 0 before it first was. It goes on from there when it comes back. */
export interface Patience {
  holdUntilMs: number
  queueUntilMs: number
}

export interface PlaceToWait {
  room: WaitingRoom
  deadlineMs: number
}

/** After a pick with this context found nobody: in the queue for room, or in the hold for a server. null: nowhere. */
export function placeToWait(upstream: Upstream, context: PickContext, patience: Patience): PlaceToWait | null {
  const why = upstream.load(context.now) >= upstream.config.limits.inFlight ? 'full' : upstream.picker.why(context)
  if (why === 'excluded') return null
  if (why !== 'full') return placeToBeHeld(upstream, patience)
  const { queue } = upstream
  if (queue === null) return null
  if (patience.queueUntilMs === 0) patience.queueUntilMs = queue.deadline()
  return { room: queue, deadlineMs: patience.queueUntilMs }
}

/** It goes on, or gives up: for how long it was held is told. */
export function noteHeld(upstream: Upstream, { holdUntilMs }: Patience): void {
  const { hold } = upstream.config
  if (holdUntilMs > 0 && hold !== null) upstream.noteHold(performance.now() - (holdUntilMs - hold.timeoutMs))
}

/** No server can be reached: until one is called up again, or accepts again. null: nobody is held. */
export function placeToBeHeld({ hold }: Upstream, patience: Patience): PlaceToWait | null {
  if (hold === null) return null
  if (patience.holdUntilMs === 0) patience.holdUntilMs = hold.deadline()
  return { room: hold, deadlineMs: patience.holdUntilMs }
}
