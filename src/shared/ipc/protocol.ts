/**
 * All messages between primary and workers, by direction. Rules: add fields, never rename; bump VERSION when a meaning changes.
 * The channel is node:cluster's, with 'advanced' serialization.
 */
import type { Config } from '../config/model.ts'
import type { PinnedModule } from '../config/pinned.ts'
import type { HeartbeatMessage, ServersMessage } from './server-state.ts'
import type { TlsMaterial } from './tls-material.ts'

export const VERSION = 5

/** Where the primary's descriptors are in a worker: 0 to 2 are the standard ones, 3 is the channel. */
export const BOARD_FD = 4
/** Over this socket come the descriptors of listening sockets that were opened later. */
export const CHANNEL_FD = 5
/** One eventfd per worker, then the listening sockets. */
export const FIRST_WAKER_FD = 6
export const firstListenerFd = (workers: number) => FIRST_WAKER_FD + workers

export interface Serve {
  type: 'serve'
  version: number
  generation: number
  /** Its functions do not travel; see `module`. */
  config: Config
  /** A TypeScript config as it was when it was read, which the worker runs again for its functions. */
  module: PinnedModule | null
  /** Board rows by `upstream/server`: stable for as long as the primary lives. */
  slots: Record<string, number>
  /** All that is known of the servers when the order is given: a worker that serves knows who is down. */
  state: ServersMessage
  /** Addresses by `upstream/server`, names resolved. */
  addresses: Record<string, ResolvedAddress[]>
  /** Certificates, keys and what else workers need to speak TLS. */
  tls: TlsMaterial
  /** Listening sockets in the order of `config.listeners`. */
  sockets: ListeningSockets[]
  /** Keys of the sockets that the worker inherited, in the order of their descriptors. */
  inherited: string[]
  /** Keys of those whose descriptors came over the channel with this order, in their order. */
  passed: string[]
  /** Rows of the board by listener and route, in the order of the config. */
  routes: number[][]
  column: number
  columns: number
}

export type ResolvedAddress = { ip: string; port: number } | { path: string }

/** Sockets of one listener. */
export interface ListeningSockets {
  /** Row of the listener on the board: stable for as long as it is in the config. */
  slot: number
  /** One name for each socket, in the order of `bind`; a range of ports has one for each. */
  keys: string[]
  /** The local port of each, in the same order; 0 for a unix socket. */
  ports: number[]
  /** The first TCP port, '' without one. */
  port: string
}

/** What a worker is asked, and what it answers. */
export type WorkerQuestion =
  /** TunnelFacts[]: of one row of the board, or of all with -1. */
  | { what: 'tunnels'; slot: number; most: number }
  /** number: closes tunnels and breaks off exchanges of a row. */
  | { what: 'cut'; slot: number }

export type ToWorker =
  | Serve
  /** The first half of a change that comes into force everywhere or nowhere: could this order be served? */
  | { type: 'prepare'; order: Serve }
  /** The second half. `passed`: keys of the sockets whose descriptors came over the channel, in their order. */
  | { type: 'commit'; generation: number; passed: string[] }
  | { type: 'abort'; generation: number }
  | { type: 'ask'; id: number; question: WorkerQuestion }
  /** Finish what is there and exit; what is left after `graceMs` is cut. 0 is no deadline. */
  | { type: 'stop'; graceMs: number; spreadMs: number }
  | { type: 'addresses'; server: string; addresses: ResolvedAddress[] }
  /** Changed without a new order, always whole: what has the id that it had stays as it is. */
  | { type: 'tls'; material: TlsMaterial }
  | ServersMessage

export type ToPrimary =
  /** The worker listens to messages now; what was sent before is lost. */
  | { type: 'hello' }
  | { type: 'ready'; generation: number }
  | { type: 'prepared'; generation: number }
  | { type: 'answer'; id: number; answer: unknown }
  /** The worker cannot serve this config. */
  | { type: 'refused'; generation: number; reason: string }
  | HeartbeatMessage
