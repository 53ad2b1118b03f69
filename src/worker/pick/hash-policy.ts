import type { Eligible } from './eligible.ts'
import { addressStart, hashText } from './hash-text.ts'
import { KeyedChoice } from './keyed-choice.ts'
import { md5 } from './md5.ts'
import { OwnerCache } from './owner-cache.ts'
import type { PickContext } from './pick-context.ts'
import type { Policy, PolicyOptions } from './picker.ts'
import type { ServerGroup } from './server-group.ts'
import type { HashTable, TableSpec } from './table-builder.ts'
import { buildTable, fingerprintOf } from './table-builder.ts'
import { findInTable } from './table-lookup.ts'
import { WeightedDraw } from './weighted-draw.ts'

type Kind = TableSpec['kind']

/** The same key goes to the same server as long as that may be picked. */
export function consistentHash(group: ServerGroup, options: PolicyOptions): HashPolicy {
  const hash = options.hash
  return new HashPolicy(group, hash?.table ?? 'ring', hash?.key.from === 'client-ip', options)
}

/** The same client address goes to the same server: all of an IPv4 or IPv6 address counts. */
export function sourceHash(group: ServerGroup, options: PolicyOptions): HashPolicy {
  return new HashPolicy(group, options.hash?.table ?? 'ring', true, options)
}

/** A number of the key from 0 to below 1, for choices that are to be the same for the same key. */
export function keyedShare(context: PickContext, isByClient: boolean): number {
  const key = isByClient ? context.clientIp : context.key
  return key === '' ? context.random() : hashText(key, 7) / 2 ** 32
}

/**
 * Looks a key up in a table. The table holds all servers that have a weight, also those that are down: they are passed over,
 * so that only their keys move, and come back with them. It is built anew when membership or weights change, not for a slow start.
 */
export class HashPolicy implements Policy {
  readonly #group: ServerGroup
  readonly #kind: Kind
  readonly #isByClient: boolean
  readonly #offloadAbove: number
  readonly #choice: KeyedChoice
  readonly #draw: WeightedDraw
  readonly #cache: OwnerCache | null
  #table: HashTable | null = null
  #tableVersion = -1
  #wanted = 0

  constructor(group: ServerGroup, kind: Kind, isByClient: boolean, options: PolicyOptions) {
    this.#group = group
    this.#kind = kind
    this.#isByClient = isByClient
    this.#offloadAbove = options.offloadAbove
    this.#choice = new KeyedChoice(group, options.hash?.boundedLoad ?? null)
    this.#draw = new WeightedDraw(group)
    this.#cache = kind === 'rendezvous' ? OwnerCache.for(group.size) : null
  }

  pick(eligible: Eligible, context: PickContext): number {
    const group = this.#group
    if (group.size === 0) return -1
    const key = this.#isByClient ? context.clientIp : context.key
    if (key === '') return this.#draw.draw(this.#choice.keyless(eligible, context), context.random)
    const table = this.#currentTable()
    const from = this.#isByClient ? addressStart(key) : 0
    const hash = table.kind === 'ring' ? md5(key, from) : hashText(key, 3, from)
    const choice = this.#choice.keyed(eligible, context, hash)
    if (table.kind === 'rendezvous' && this.#cache !== null) {
      const owner = this.#cache.ownerOf(table, hash)
      if (owner >= 0 && choice.accepts(owner)) return owner
    }
    const found = findInTable(table, hash, group.size, choice)
    return found >= 0 ? found : choice.spare
  }

  /** The table that is missing or out of date, null when there is none. */
  wantedTable(): TableSpec | null {
    const { ids, tableWeights, size } = this.#group
    this.#notice()
    if (size === 0 || this.#table?.fingerprint === this.#wanted) return null
    return { kind: this.#kind, ids, weights: tableWeights.slice(), fingerprint: this.#wanted }
  }

  /** False when it is not the table that is wanted. */
  useTable(table: HashTable): boolean {
    this.#notice()
    if (table.kind !== this.#kind || table.fingerprint !== this.#wanted) return false
    this.#table = table
    this.#cache?.clear()
    return true
  }

  /** Until there is a table of our own, the other's serves: without the servers that went, and yet without the new ones. */
  adopt(from: Policy, positions: Int32Array): void {
    if (!(from instanceof HashPolicy) || from.#kind !== this.#kind || from.#table === null) return
    if (this.useTable(from.#table)) return
    if (this.#group.size > this.#offloadAbove) this.#table = translated(from.#table, positions)
  }

  #notice(): void {
    if (this.#tableVersion === this.#group.tableVersion) return
    this.#tableVersion = this.#group.tableVersion
    this.#wanted = fingerprintOf(this.#kind, this.#group.ids, this.#group.tableWeights)
  }

  #currentTable(): HashTable {
    this.#notice()
    if (this.#table !== null && (this.#table.fingerprint === this.#wanted || this.#group.size > this.#offloadAbove)) return this.#table
    const { ids, tableWeights: weights } = this.#group
    this.#table = buildTable({ kind: this.#kind, ids, weights, fingerprint: this.#wanted })
    this.#cache?.clear()
    return this.#table
  }
}

/** Another group's table with our positions; -1 is passed over. `positions[i]`: where our server i was. */
function translated(table: HashTable, positions: Int32Array): HashTable | null {
  if (table.kind === 'rendezvous') return null
  const most = table.owners.reduce((highest, owner) => Math.max(highest, owner), -1)
  const places = new Int32Array(most + 1).fill(-1)
  for (let i = 0; i < positions.length; i++) {
    const was = positions[i] as number
    if (was >= 0 && was <= most) places[was] = i
  }
  return { ...table, owners: table.owners.map((owner) => (owner < 0 ? -1 : (places[owner] as number))) }
}
