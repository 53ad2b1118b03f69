/** What picks in a simulated worker: the picker of the real one, built from the records that gossip brought. */
import type { BalanceName } from '../../../src/shared/config/model.ts'
import type { ServerRecord } from '../../../src/shared/ipc/server-state.ts'
import type { TableChange } from '../../../src/worker/gossip-receiver.ts'
import { NO_LATENCIES, PickContext } from '../../../src/worker/pick/pick-context.ts'
import { UpstreamPicker } from '../../../src/worker/pick/upstream-picker.ts'

export interface SimulatedPicker {
  apply(change: TableChange): void
  /** null: none is usable. `inFlight`: of a row, over all workers. `random`: in [0, 1). */
  pick(upstream: string, inFlight: (slot: number) => number, random: number): ServerRecord | null
}

const POLICIES: readonly BalanceName[] = ['power-of-two', 'round-robin', 'least-connections', 'random', 'least-time', 'first']
const ROWS = 1024

/** Each upstream has another policy. A server that comes, goes or has another config makes a new picker, which adopts the old one. */
export class RealPicker implements SimulatedPicker {
  readonly #servers = new Map<number, ServerRecord>()
  readonly #pickers = new Map<string, { membership: string; picker: UpstreamPicker }>()
  readonly #loads = new Int32Array(ROWS)
  #chance = 0
  readonly #context = new PickContext({ inFlight: this.#loads, stride: 1, offset: 0 }, NO_LATENCIES, () => this.#next())

  apply({ removed, servers }: TableChange): void {
    for (const { slot } of removed) this.#servers.delete(slot)
    for (const record of servers) this.#servers.set(record.slot, record)
    for (const record of servers) this.#picker(upstreamOf(record))?.apply(record)
  }

  pick(upstream: string, inFlight: (slot: number) => number, random: number): ServerRecord | null {
    const picker = this.#picker(upstream)
    if (picker === null) return null
    for (const { slot } of this.#of(upstream)) this.#loads[slot] = inFlight(slot)
    this.#chance = random
    const slot = picker.pick(this.#context)
    return slot < 0 ? null : (this.#servers.get(slot) ?? null)
  }

  #of(upstream: string): ServerRecord[] {
    return [...this.#servers.values()].filter((record) => upstreamOf(record) === upstream)
  }

  #picker(upstream: string): UpstreamPicker | null {
    const records = this.#of(upstream).sort((a, b) => a.slot - b.slot)
    if (records.length === 0) return null
    const membership = JSON.stringify(records.map(({ slot, server, config }) => [slot, server, config]))
    const known = this.#pickers.get(upstream)
    if (known?.membership === membership) return known.picker
    const picker = new UpstreamPicker({
      balance: POLICIES[upstream.length % POLICIES.length] as BalanceName,
      hash: null,
      servers: records.map(({ slot, server, config: { weight, maxConnections, tier, zone } }) => {
        return { slot, id: server, weight, maxConnections, tier, zone }
      }),
      start: 0,
      zone: null,
      slowStart: null,
      initial: 'hold',
    })
    if (known !== undefined) picker.adopt(known.picker)
    for (const record of records) picker.apply(record)
    this.#pickers.set(upstream, { membership, picker })
    return picker
  }

  /** A pick may draw more than once; what follows the first draw comes of it. */
  #next(): number {
    const now = this.#chance
    this.#chance = (now * 69_069 + 0.618_033_988) % 1
    return now
  }
}

function upstreamOf({ server }: ServerRecord): string {
  return server.slice(0, server.indexOf('/'))
}
