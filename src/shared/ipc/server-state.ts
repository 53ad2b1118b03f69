import type { ServerConfig } from '../config/model.ts'

/**
 * What the primary says of one server. Records travel in gossip; a worker takes over those that are newer than its own, so a lost,
 * repeated or reordered message delays convergence and never prevents it.
 */
export interface ServerState {
  /** Row of the board. */
  slot: number
  /** Version of the table when this record last changed: grows with each change of any record, never repeats. */
  version: number
  /** `unknown` before the first verdict of a check. */
  health: 'unknown' | 'up' | 'down'
  admin: 'ready' | 'drain' | 'maint'
  /** It is drained of sticky users, too. */
  isStrict: boolean
  /** Taken out for a while by passive health. */
  isEjected: boolean
  /** A returning server gets one request at a time until it has answered one. */
  isProbing: boolean
  /** Of the configured weight: 1 as configured, 0.5 half. An agent or a command changes it. */
  weightShare: number
  /** When its slow start began, on the machine's monotonic clock in milliseconds (`performance.timeOrigin` is not part of it); 0: not warming. */
  warmSinceMs: number
}

/** A state with whom it is about: enough to build a picker from records alone, whether a config or a name service brought the server. */
export interface ServerRecord extends ServerState {
  /** `upstream/server`. A row may have another occupant later, so a reader who keeps state by row compares this first. */
  server: string
  config: ServerConfig
}

/** A server that is no more. The row has no other occupant before every worker knows. */
export interface ServerRemoval {
  server: string
  slot: number
  version: number
}

/** What the primary says of an upstream's circuit breaker. One that is closed is not in the table: the message that closes it is its last. */
export interface BreakerState {
  upstream: string
  version: number
  /** 1 closed, 0 open, between while it recovers: the share of requests that may pass. */
  pass: number
}

/** Primary to worker. `isWhole`: what is not listed and not newer than the message is forgotten. */
export interface ServersMessage {
  type: 'servers'
  /** Of the primary process; a worker that meets another one forgets all. */
  epoch: number
  /** Version of the table with these changes. */
  version: number
  isWhole: boolean
  servers: ServerRecord[]
  /** Empty in a whole table. */
  removed: ServerRemoval[]
  breakers: BreakerState[]
}

/** Worker to primary, several times a second and after each message that was applied. */
export interface HeartbeatMessage {
  type: 'heartbeat'
  epoch: number
  /** Highest version of a message that was applied. */
  version: number
  /** Of all records and open breakers: see `digestOfServer`. */
  digest: number
}

/** Whether new requests may go there as to any other: the first check was good, nobody drains it, and it is not ejected. */
export function isUsable(state: ServerState): boolean {
  return state.health === 'up' && state.admin === 'ready' && !state.isEjected && !state.isProbing
}

/**
 * The part of one record in a table's digest, 32 bits. A table's digest is the exclusive or of all parts, so their order does not
 * matter, and the same operation puts a part in and takes it out. Slot and version say it all: a version is never given twice.
 */
export function digestOfServer({ slot, version }: { slot: number; version: number }): number {
  return mixed(slot + 1, version)
}

/** The part of an open breaker: see `digestOfServer`. */
export function digestOfBreaker({ upstream, version }: { upstream: string; version: number }): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < upstream.length; i++) hash = Math.imul(hash ^ upstream.charCodeAt(i), 0x01000193)
  return mixed(hash, version)
}

/** Spreads both numbers over 32 bits, so that small ones, which all of them are, do not cancel each other out. */
function mixed(name: number, version: number): number {
  let bits = Math.imul(name, 0x9e3779b1) ^ Math.imul(version % 2 ** 32, 0x85ebca6b) ^ Math.floor(version / 2 ** 32)
  bits = Math.imul(bits ^ (bits >>> 16), 0x7feb352d)
  bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b)
  return (bits ^ (bits >>> 16)) >>> 0
}
