/** Whether an upstream can do without some of its servers for a while. Pure. */
import type { ServerStatus, UpstreamStatus } from '../../shared/control/data.ts'
import { counted } from '../words.ts'

/**
 * `enough`: the others carry it. `warming`: they will when their slow start is over. `below`: they do not. The sentence says what is
 * there and what is needed.
 */
export interface Capacity {
  at: 'enough' | 'warming' | 'below'
  text: string
}

export interface CapacityQuestion {
  /** Servers that are about to go. */
  without: ReadonlySet<string>
  /** Share of the configured weight of all that are no backups. */
  floor: number
  /** Servers that are taken for usable whatever they are now. */
  assumedUp?: ReadonlySet<string>
}

/** What stays in force of an upstream when these servers take nothing: at least the floor, and at least one server. */
export function capacityBeside(upstream: UpstreamStatus, { without, floor, assumedUp = new Set() }: CapacityQuestion): Capacity {
  const regular = upstream.servers.filter(({ isBackup }) => !isBackup)
  const needed = floor * sum(regular.map(({ weight }) => weight))
  const beside = upstream.servers.filter(({ id }) => !without.has(id))
  const usable = beside.filter((server) => server.weight > 0 && (isUsable(server) || assumedUp.has(server.id)))
  const weightOf = (servers: ServerStatus[]) => sum(servers.filter(({ isBackup }) => !isBackup).map(weightInForce))
  // Three thirds of a weight are a whole one, whatever floating point says.
  const isEnough = (servers: ServerStatus[]) => servers.length > 0 && weightOf(servers) >= needed - 1e-9
  const text = `${counted(usable.length, 'usable server')} with weight ${round(weightOf(usable))} would be left, the floor is 1 server and weight ${round(needed)}`
  if (isEnough(usable.filter((server) => !isWarming(server) || assumedUp.has(server.id)))) return { at: 'enough', text }
  return { at: isEnough(usable) ? 'warming' : 'below', text }
}

/** It gets new requests, were it alone. */
export function isUsable({ state }: ServerStatus): boolean {
  return state === 'up' || state === 'warming'
}

export function isWarming({ state }: ServerStatus): boolean {
  return state === 'warming'
}

function weightInForce({ weight, weightShare }: ServerStatus): number {
  return weight * weightShare
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function round(value: number): number {
  return Number(value.toFixed(2))
}
