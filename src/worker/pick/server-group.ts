import type { UpstreamConfig } from '../../shared/config/model.ts'
import type { ServerState } from '../../shared/ipc/server-state.ts'
import type { Initial, Standing } from './eligible.ts'
import { keepsSticky, standingOf } from './eligible.ts'
import { hashText } from './hash-text.ts'
import type { PickServer } from './picker.ts'

/** Stands for `maxConnections: null`; no counter gets there. */
export const NO_LIMIT = 0x7fffffff

/** By what states become columns. */
export interface GroupRules {
  initial: Initial
  slowStart: UpstreamConfig['slowStart']
  /** Milliseconds, on the clock of `warmSinceMs`. */
  now: number
  isPanicking: boolean
}

/** Servers of one upstream, tier and side of the zone as flat columns, so that a pick follows no pointers. */
export class ServerGroup {
  readonly size: number
  readonly ids: readonly string[]
  readonly slots: Int32Array
  /** Hashes of the ids. */
  readonly seeds: Uint32Array
  /** Exchanges at once: as configured, or 1 while a server is probed. */
  readonly limits: Int32Array
  /** What counts now: configured, times the primary's share, times the ramp of a slow start. */
  readonly weights: Float64Array
  /** The same without the ramp: tables are not built anew while a server warms up. */
  readonly tableWeights: Float64Array
  /** 1, or less during a slow start. */
  readonly ramps: Float64Array
  /** 1 while the server may take traffic: it has a weight, and its standing allows it. */
  readonly isActive: Uint8Array
  /** 1 while the server may serve clients that are bound to it. */
  readonly isKept: Uint8Array
  /** Until when this worker keeps away from a server on its own account, on the clock of a pick. 0: trusted. */
  readonly distrustedUntil: Float64Array
  readonly states: ServerState[]
  readonly standings: Standing[]
  /** Counts changes of weights and standings, so that a policy knows when what it computed is stale. */
  version = 0
  /** Counts changes of tableWeights. */
  tableVersion = 0
  /** Whether all active servers have the same weight. */
  isUniform = true
  /** Sum over active servers. */
  activeWeight = 0
  /** Sum as configured. */
  readonly configuredWeight: number
  /** The highest ramp of an active server. */
  topRamp = 1
  isWarming = false
  readonly #maxima: Int32Array
  readonly #configured: Float64Array

  constructor(servers: readonly PickServer[]) {
    this.size = servers.length
    this.ids = servers.map((server) => server.id)
    this.slots = Int32Array.from(servers, (server) => server.slot)
    this.seeds = Uint32Array.from(servers, (server) => hashText(server.id, 0))
    this.#maxima = Int32Array.from(servers, (server) => server.maxConnections ?? NO_LIMIT)
    this.#configured = Float64Array.from(servers, (server) => server.weight)
    this.configuredWeight = this.#configured.reduce((sum, weight) => sum + weight, 0)
    this.limits = new Int32Array(this.size)
    this.weights = new Float64Array(this.size)
    this.tableWeights = Float64Array.from(this.#configured)
    this.ramps = new Float64Array(this.size).fill(1)
    this.isActive = new Uint8Array(this.size)
    this.isKept = new Uint8Array(this.size)
    this.distrustedUntil = new Float64Array(this.size)
    this.states = servers.map((server) => unheardOf(server.slot))
    this.standings = servers.map(() => 'down')
  }

  /** Where each server stands; the first half of taking over new states. */
  rank(rules: GroupRules): void {
    for (let i = 0; i < this.size; i++) {
      const state = this.states[i] as ServerState
      const weight = (this.#configured[i] as number) * state.weightShare
      if (weight !== this.tableWeights[i]) this.tableVersion++
      this.tableWeights[i] = weight
      this.standings[i] = standingOf(state, weight, rules.initial)
    }
  }

  /** Fills the columns; the second half, because whether there is a panic is known only when all groups are ranked. */
  settle(rules: GroupRules): void {
    this.version++
    this.isWarming = false
    for (let i = 0; i < this.size; i++) {
      const state = this.states[i] as ServerState
      const standing = this.standings[i] as Standing
      const ramp = rampOf(state.warmSinceMs, rules)
      if (ramp < 1) this.isWarming = true
      this.ramps[i] = ramp
      this.weights[i] = (this.tableWeights[i] as number) * ramp
      this.limits[i] = state.isProbing ? Math.min(1, this.#maxima[i] as number) : (this.#maxima[i] as number)
      this.isActive[i] = standing === 'usable' || (rules.isPanicking && standing === 'ejected') ? 1 : 0
      this.isKept[i] = keepsSticky(state, standing, rules.initial, rules.isPanicking) ? 1 : 0
    }
    this.#sum()
  }

  #sum(): void {
    let common = 0
    this.isUniform = true
    this.activeWeight = 0
    this.topRamp = 0
    for (let i = 0; i < this.size; i++) {
      if (this.isActive[i] === 0) continue
      const weight = this.weights[i] as number
      this.activeWeight += weight
      this.topRamp = Math.max(this.topRamp, this.ramps[i] as number)
      if (common === 0) common = weight
      else if (weight !== common) this.isUniform = false
    }
  }
}

/** Grows in a line from the floor to 1. */
function rampOf(warmSinceMs: number, { slowStart, now }: GroupRules): number {
  if (slowStart === null || warmSinceMs === 0) return 1
  const done = Math.max(0, now - warmSinceMs) / slowStart.ms
  return done >= 1 ? 1 : Math.max(slowStart.floor + (1 - slowStart.floor) * done, 1e-3)
}

/** What a worker assumes of a server before the primary said anything. */
function unheardOf(slot: number): ServerState {
  return {
    slot,
    version: 0,
    health: 'unknown',
    admin: 'ready',
    isStrict: false,
    isEjected: false,
    isProbing: false,
    weightShare: 1,
    warmSinceMs: 0,
  }
}
