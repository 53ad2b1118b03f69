import type { PickServer } from './picker.ts'

/** Stands for `maxConnections: null`; no counter gets there. */
export const NO_LIMIT = 0x7fffffff

/** Servers of one upstream and one rank (primaries or backups) as flat columns, so that a pick follows no pointers. */
export class ServerGroup {
  readonly size: number
  readonly slots: Int32Array
  readonly limits: Int32Array
  readonly weights: Float64Array
  /** 1 while the server may take traffic: it has a weight, and the snapshot calls it usable. */
  readonly isActive: Uint8Array
  /** Until when this worker keeps away from a server on its own account, on the clock of `now`. 0: trusted. */
  readonly distrustedUntil: Float64Array
  /** Counts changes of weights and usability, so that a policy knows when what it computed is stale. */
  version = 0
  /** Whether all active servers have the same weight. */
  isUniform = true
  readonly #isUsable: Uint8Array

  constructor(servers: readonly PickServer[]) {
    this.size = servers.length
    this.slots = Int32Array.from(servers, (server) => server.slot)
    this.limits = Int32Array.from(servers, (server) => server.maxConnections ?? NO_LIMIT)
    this.weights = Float64Array.from(servers, (server) => server.weight)
    this.isActive = new Uint8Array(this.size)
    this.distrustedUntil = new Float64Array(this.size)
    this.#isUsable = new Uint8Array(this.size).fill(1)
    this.#refresh()
  }

  /** A server that is down, drained or in maintenance is not usable. */
  setUsable(position: number, isUsable: boolean): void {
    this.#isUsable[position] = isUsable ? 1 : 0
    this.#refresh()
  }

  /** May be a fraction, during a slow start. 0 takes no traffic. */
  setWeight(position: number, weight: number): void {
    this.weights[position] = weight
    this.#refresh()
  }

  #refresh(): void {
    this.version++
    let common = 0
    this.isUniform = true
    for (let i = 0; i < this.size; i++) {
      const weight = this.weights[i] as number
      this.isActive[i] = weight > 0 && this.#isUsable[i] === 1 ? 1 : 0
      if (this.isActive[i] === 0) continue
      if (common === 0) common = weight
      else if (weight !== common) this.isUniform = false
    }
  }
}
