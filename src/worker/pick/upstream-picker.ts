import type { HashConfig, UpstreamConfig } from '../../shared/config/model.ts'
import type { ServerState } from '../../shared/ipc/server-state.ts'
import type { Initial, Standing } from './eligible.ts'
import { HashPolicy } from './hash-policy.ts'
import type { PickContext } from './pick-context.ts'
import type { PickServer, PolicyName } from './picker.ts'
import { policies } from './policies.ts'
import type { GroupRules } from './server-group.ts'
import type { HashTable, TableSpec } from './table-builder.ts'
import type { Draw, Rank, Tier } from './tier.ts'
import { tiersOf } from './tier.ts'

export interface PickerOptions {
  balance: PolicyName
  hash: HashConfig | null
  servers: readonly PickServer[]
  /** How many picks the rotation is ahead: see `PolicyOptions`. */
  start: number
  /** Of this balancer; its servers are preferred. */
  zone: string | null
  slowStart: UpstreamConfig['slowStart']
  /** What a server counts as before the first verdict; up by default, as without checks. */
  initial?: Initial
  /** Groups of more servers than this wait for `useTable` while an older table serves. By default tables are built in place. */
  offloadAbove?: number
}

/** Why there is no server: none is usable · those are full · all of those were tried · some have no verdict yet. */
export type NoPick = 'none' | 'full' | 'excluded' | 'unknown'

/** How many servers stand where. */
export type Counts = Record<Standing, number>

interface Place {
  rank: Rank
  position: number
}

/** Picks servers of one upstream in one worker, and knows how each of them stands. */
export class UpstreamPicker {
  readonly #tiers: readonly Tier[]
  readonly #ranks: readonly Rank[]
  readonly #places = new Map<number, Place>()
  readonly #rules: GroupRules
  #counts: Counts = { usable: 0, ejected: 0, down: 0, draining: 0, unknown: 0 }
  /** States came that are not in the columns yet: a message brings many, and each costs a look at all servers. */
  #isStale = true
  #isWarming = false
  #hasDistrust = false

  constructor(options: PickerOptions) {
    const { balance, hash, servers, zone, start, offloadAbove = Infinity } = options
    this.#rules = { initial: options.initial ?? 'up', slowStart: options.slowStart, now: 0, isPanicking: false }
    this.#tiers = tiersOf(servers, zone, drawOf(balance, hash), (group) => policies[balance](group, { start, hash, offloadAbove }))
    this.#ranks = this.#tiers.flatMap(({ own, others }) => (others === null ? [own] : [own, others]))
    for (const rank of this.#ranks) rank.group.slots.forEach((slot, position) => this.#places.set(slot, { rank, position }))
  }

  /**
   * Slot of the server to use, -1 when none is eligible: see `why`. A later tier serves when no server of an earlier one is eligible;
   * when every usable one refused a moment ago, an ejected one serves; distrusted servers serve when there is no other at all.
   */
  pick(context: PickContext): number {
    if (this.#isStale) this.#settle()
    const slot = this.#pickBy(context, 'trusted')
    if (slot >= 0 || !this.#hasDistrust) return slot
    const spare = this.#pickEjected(context)
    return spare >= 0 ? spare : this.#pickBy(context, 'any')
  }

  /** Whether this very server may be used now, for a client that is bound to it. It may be draining. */
  pickNamed(slot: number, context: PickContext): boolean {
    if (this.#isStale) this.#settle()
    const place = this.#places.get(slot)
    if (place === undefined || place.rank.group.isKept[place.position] === 0) return false
    return place.rank.eligible.at(context, 'trusted').hasRoom(place.position)
  }

  /** Why `pick` found nobody. A look at each server: for failures only. */
  why(context: PickContext): NoPick {
    if (this.#isStale) this.#settle()
    const active = this.#ranks.flatMap(({ group }) => [...group.slots].filter((_, i) => group.isActive[i] === 1))
    if (active.length > 0) return active.every((slot) => context.excluded.includes(slot)) ? 'excluded' : 'full'
    return this.#counts.unknown > 0 ? 'unknown' : 'none'
  }

  /** Every server is in one of these. Maintenance counts as down, a weight of 0 as draining. */
  counts(): Readonly<Counts> {
    if (this.#isStale) this.#settle()
    return this.#counts
  }

  /** No server is usable, and those that are only ejected serve. */
  get isPanicking(): boolean {
    if (this.#isStale) this.#settle()
    return this.#rules.isPanicking
  }

  /** What the primary says of a server. Unknown slots are ignored: the news may be older or newer than the config. */
  apply(state: ServerState): void {
    const place = this.#places.get(state.slot)
    if (place === undefined) return
    place.rank.group.states[place.position] = { ...state }
    this.#isStale = true
  }

  /** The time on the clock of `warmSinceMs`, for slow starts. Several times a second; costs nothing when no server is warming. */
  tick(now: number): void {
    this.#rules.now = now
    if (this.#isWarming) this.#isStale = true
  }

  /** Keeps this worker away from a server until a time on the clock of `context.now`, because it saw it fail. 0 trusts it again. */
  distrust(slot: number, until: number): void {
    const place = this.#places.get(slot)
    if (place === undefined) return
    place.rank.group.distrustedUntil[place.position] = until
    if (until > 0) this.#hasDistrust = true
  }

  /**
   * Goes on where the picker before a change of the config was: states and distrust by id, and the rotation and the tables of each
   * tier when the policy is the same. Call it before anything else.
   */
  adopt(old: UpstreamPicker): void {
    const before = old.#placesById()
    for (const { group } of this.#ranks) {
      for (const [position, id] of group.ids.entries()) {
        const was = before.get(id)
        if (was !== undefined) takeOver({ group, position, was })
      }
    }
    this.#rules.now = old.#rules.now
    this.#hasDistrust = old.#hasDistrust
    this.#settle()
    if (old.#isStale) old.#settle()
    for (const [number, tier] of this.#tiers.entries()) {
      const other = old.#tiers[number]
      if (other === undefined) continue
      adoptRank(tier.own, other.own, before)
      if (tier.others !== null && other.others !== null) adoptRank(tier.others, other.others, before)
    }
  }

  /** Hash tables that are missing or out of date. `buildTable` makes one, here or in a thread; then `useTable` it. */
  wantedTables(): TableSpec[] {
    if (this.#isStale) this.#settle()
    return this.#ranks.flatMap(({ policy }) => (policy instanceof HashPolicy ? (policy.wantedTable() ?? []) : []))
  }

  /** False when nobody wants this table any more, because weights or servers have changed since. */
  useTable(table: HashTable): boolean {
    if (this.#isStale) this.#settle()
    return this.#ranks.some(({ policy }) => policy instanceof HashPolicy && policy.useTable(table))
  }

  /** The least loaded of the ejected ones, if all usable ones are distrusted or were tried: then they are no better. */
  #pickEjected(context: PickContext): number {
    if (this.#counts.ejected === 0) return -1
    let best = -1
    let least = Number.POSITIVE_INFINITY
    for (const { group, eligible } of this.#ranks) {
      eligible.at(context, 'trusted')
      for (let position = 0; position < group.size; position++) {
        const slot = group.slots[position] as number
        if (group.isActive[position] === 1) {
          if (!eligible.isDistrusted(position) && !context.excluded.includes(slot)) return -1
          continue
        }
        if (group.standings[position] !== 'ejected' || !eligible.hasRoom(position)) continue
        const load = context.board.inFlight[slot * context.board.stride + context.board.offset] as number
        if (load < least) {
          least = load
          best = slot
        }
      }
    }
    return best
  }

  #pickBy(context: PickContext, trust: 'trusted' | 'any'): number {
    const tiers = this.#tiers
    for (let i = 0; i < tiers.length; i++) {
      const slot = (tiers[i] as Tier).pick(context, trust)
      if (slot >= 0) return slot
    }
    return -1
  }

  #settle(): void {
    this.#isStale = false
    const counts: Counts = { usable: 0, ejected: 0, down: 0, draining: 0, unknown: 0 }
    for (const { group } of this.#ranks) {
      group.rank(this.#rules)
      for (const standing of group.standings) counts[standing]++
    }
    this.#counts = counts
    this.#rules.isPanicking = counts.usable === 0 && counts.ejected > 0
    this.#isWarming = false
    for (const { group } of this.#ranks) {
      group.settle(this.#rules)
      if (group.isWarming) this.#isWarming = true
    }
  }

  #placesById(): Map<string, Place> {
    const places = new Map<string, Place>()
    for (const rank of this.#ranks) for (const [position, id] of rank.group.ids.entries()) places.set(id, { rank, position })
    return places
  }
}

function takeOver({ group, position, was }: { group: Rank['group']; position: number; was: Place }): void {
  const state = was.rank.group.states[was.position] as ServerState
  group.states[position] = { ...state, slot: group.slots[position] as number }
  group.distrustedUntil[position] = was.rank.group.distrustedUntil[was.position] as number
}

function adoptRank(rank: Rank, old: Rank, before: ReadonlyMap<string, Place>): void {
  const positions = Int32Array.from(rank.group.ids, (id) => {
    const was = before.get(id)
    return was?.rank === old ? was.position : -1
  })
  rank.policy.adopt(old.policy, positions)
}

function drawOf(balance: PolicyName, hash: HashConfig | null): Draw {
  if (balance === 'source-hash') return 'client'
  if (balance !== 'consistent-hash') return 'random'
  return hash?.key.from === 'client-ip' ? 'client' : 'key'
}
