import { Eligible } from './eligible.ts'
import { keyedShare } from './hash-policy.ts'
import type { PickContext } from './pick-context.ts'
import type { BoardView, PickServer, Policy } from './picker.ts'
import { ServerGroup } from './server-group.ts'

/** Stands in until the first pick brings the board. */
const NO_BOARD: BoardView = { inFlight: new Int32Array(0), stride: 0, offset: 0 }

/** While so much of the own zone's weight is usable, it takes all traffic. */
const ENOUGH = 0.7

/** Servers of one tier on one side of the zone, with what picks among them. */
export class Rank {
  readonly group: ServerGroup
  readonly policy: Policy
  readonly eligible: Eligible

  constructor(servers: readonly PickServer[], makePolicy: (group: ServerGroup) => Policy) {
    this.group = new ServerGroup(servers)
    this.policy = makePolicy(this.group)
    this.eligible = new Eligible(this.group, NO_BOARD)
  }

  /** Server slot, -1 for none. */
  pick(context: PickContext, trust: 'trusted' | 'any'): number {
    const position = this.policy.pick(this.eligible.at(context, trust), context)
    return position < 0 ? -1 : (this.group.slots[position] as number)
  }
}

/** How a tier chooses between the zones: by chance, or by the key so that a key keeps its server. */
export type Draw = 'random' | 'key' | 'client'

/**
 * Servers of one tier. Those of the own zone take all traffic while 70 % of their weight is usable; below that they take
 * what is usable over those 70 %, and the rest goes to the other zones. Either side stands in when the other has no eligible server.
 */
export class Tier {
  readonly own: Rank
  /** Servers of other zones and of none; null without zones. */
  readonly others: Rank | null
  readonly #draw: Draw

  constructor(own: Rank, others: Rank | null, draw: Draw) {
    this.own = own
    this.others = others
    this.#draw = draw
  }

  pick(context: PickContext, trust: 'trusted' | 'any'): number {
    if (this.others === null) return this.own.pick(context, trust)
    const isOwn = this.#staysInZone(context)
    const slot = (isOwn ? this.own : this.others).pick(context, trust)
    return slot >= 0 ? slot : (isOwn ? this.others : this.own).pick(context, trust)
  }

  #staysInZone(context: PickContext): boolean {
    const { activeWeight, configuredWeight } = this.own.group
    const share = activeWeight / (ENOUGH * configuredWeight)
    if (share >= 1) return true
    return (this.#draw === 'random' ? context.random() : keyedShare(context, this.#draw === 'client')) < share
  }
}

/** Tiers in the order in which they are used. Without servers there is one, which is empty. */
export function tiersOf(
  servers: readonly PickServer[],
  zone: string | null,
  draw: Draw,
  makePolicy: (group: ServerGroup) => Policy,
): Tier[] {
  const numbers = [...new Set(servers.map((server) => server.tier))].sort((a, b) => a - b)
  return (numbers.length === 0 ? [0] : numbers).map((number) => {
    const all = servers.filter((server) => server.tier === number)
    const own = zone === null ? [] : all.filter((server) => server.zone === zone)
    if (own.length === 0 || own.length === all.length) return new Tier(new Rank(all, makePolicy), null, draw)
    const others = all.filter((server) => server.zone !== zone)
    return new Tier(new Rank(own, makePolicy), new Rank(others, makePolicy), draw)
  })
}
