import type { HashConfig, UpstreamConfig } from '../../shared/config/model.ts'
import type { Eligible } from './eligible.ts'
import type { PickContext } from './pick-context.ts'
import type { ServerGroup } from './server-group.ts'

export type PolicyName = UpstreamConfig['balance']

/** The column of the board that holds exchanges in flight: server slot `s` is at `inFlight[s * stride + offset]`. */
export interface BoardView {
  readonly inFlight: Int32Array
  readonly stride: number
  readonly offset: number
}

/** How long servers take to send the first byte. */
export interface LatencyView {
  /** Peak-EWMA of a server's time to the first byte in microseconds; 0: never measured. */
  read(slot: number): number
}

/** One server as the pickers know it. */
export interface PickServer {
  /** Its row on the board. */
  readonly slot: number
  /** Its identity: what a hash table places, and what `adopt` knows it by. `host:port` gives the ring of other ketama clients. */
  readonly id: string
  /** 0 takes no traffic but that of its sticky users. */
  readonly weight: number
  /** Exchanges at once over all workers; null is no limit. */
  readonly maxConnections: number | null
  /** 0 is used first, 1 when no server of 0 is eligible, and so on. */
  readonly tier: number
  readonly zone: string | null
}

/** Who may be picked, by position in the group. */
export interface Accepting {
  accepts(position: number): boolean
}

/** How one server of a group is picked. What it remembers (its place in the rotation) lives in the object. */
export interface Policy {
  /** Position in the group, -1 when none is eligible. Allocates nothing. */
  pick(eligible: Eligible, context: PickContext): number
  /**
   * Goes on where another policy was, if that is of the same kind. `positions[i]`: where our server i was in the other's
   * group, -1 for a new one.
   */
  adopt(from: Policy, positions: Int32Array): void
}

export interface PolicyOptions {
  /** How many picks the rotation is ahead: workers pass their number, so that they do not all begin with the same server. */
  readonly start: number
  readonly hash: HashConfig | null
  /** Hash tables of more servers than this are left to `useTable` while an older one serves. */
  readonly offloadAbove: number
}

/** Makes a policy for one group. */
export type PolicyFactory = (group: ServerGroup, options: PolicyOptions) => Policy
