import type { UpstreamConfig } from '../../shared/config/model.ts'
import type { Eligible } from './eligible.ts'
import type { ServerGroup } from './server-group.ts'

export type PolicyName = UpstreamConfig['balance']

/** The column of the board that holds exchanges in flight: server slot `s` is at `inFlight[s * stride + offset]`. */
export interface BoardView {
  readonly inFlight: Int32Array
  readonly stride: number
  readonly offset: number
}

/** One server as the pickers know it. */
export interface PickServer {
  /** Its row on the board. */
  readonly slot: number
  /** 0 takes no traffic. */
  readonly weight: number
  /** Exchanges at once over all workers; null is no limit. */
  readonly maxConnections: number | null
  readonly backup: boolean
}

/** How one server of a group is picked. What it remembers (its place in the rotation) lives in the object. */
export interface Policy {
  /** Position in the group, -1 when none is eligible. `random` is at least 0 and below 1. Allocates nothing. */
  pick(eligible: Eligible, board: BoardView, now: number, random: number): number
}

/**
 * Makes a policy for one group. `start` is how many picks the rotation is ahead: workers pass their number, so that they
 * do not all begin with the same server.
 */
export type PolicyFactory = (group: ServerGroup, start: number) => Policy
