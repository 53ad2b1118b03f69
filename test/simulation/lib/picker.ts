/** What picks in a simulated worker. The only file to change when something else is to be simulated. */
import type { ServerRecord } from '../../../src/shared/ipc/server-state.ts'
import type { TableChange } from '../../../src/worker/gossip-receiver.ts'

export interface SimulatedPicker {
  apply(change: TableChange): void
  /** null: none is usable. `inFlight`: of a row, over all workers. `random`: in [0, 1). */
  pick(upstream: string, inFlight: (slot: number) => number, random: number): ServerRecord | null
}

/** Any usable server, by chance and weight. */
export class PlainPicker implements SimulatedPicker {
  readonly #servers = new Map<number, ServerRecord>()

  apply({ removed, servers }: TableChange): void {
    for (const { slot } of removed) this.#servers.delete(slot)
    for (const record of servers) this.#servers.set(record.slot, record)
  }

  pick(upstream: string, inFlight: (slot: number) => number, random: number): ServerRecord | null {
    const open = [...this.#servers.values()].filter((record) => record.server.startsWith(`${upstream}/`) && isOpen(record, inFlight))
    let left = random * open.reduce((sum, record) => sum + weightOf(record), 0)
    for (const record of open) {
      left -= weightOf(record)
      if (left < 0) return record
    }
    return null
  }
}

function weightOf(record: ServerRecord): number {
  return record.config.weight * record.weightShare
}

function isOpen(record: ServerRecord, inFlight: (slot: number) => number): boolean {
  if (record.health !== 'up' || record.admin !== 'ready' || record.isEjected) return false
  return weightOf(record) > 0 && (!record.isProbing || inFlight(record.slot) === 0)
}
