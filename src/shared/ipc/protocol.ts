/**
 * All messages between primary and workers, by direction. Rules: add fields, never rename; bump VERSION when a meaning changes.
 * The channel is node:cluster's, with 'advanced' serialization.
 */
import type { Config } from '../config/model.ts'
import type { HeartbeatMessage, ServersMessage } from './server-state.ts'

export const VERSION = 2

/** Where the primary's descriptors are in a worker: 0 to 2 are the standard ones, 3 is the channel. */
export const BOARD_FD = 4
/** One eventfd per worker, then the listening sockets. */
export const FIRST_WAKER_FD = 5
export const firstListenerFd = (workers: number) => FIRST_WAKER_FD + workers

export interface Serve {
  type: 'serve'
  version: number
  generation: number
  /** Its functions do not travel; see `module`. */
  config: Config
  /** A TypeScript config, which the worker loads again for its functions. */
  module: string | null
  /** Board rows by `upstream/server`: stable for as long as the primary lives. */
  slots: Record<string, number>
  /** All that is known of the servers when the order is given: a worker that serves knows who is down. */
  state: ServersMessage
  /** Addresses by `upstream/server`, names resolved. */
  addresses: Record<string, ResolvedAddress[]>
  /** Listening sockets in the order of `config.listeners`. */
  sockets: ListeningSockets[]
  column: number
  columns: number
}

export type ResolvedAddress = { ip: string; port: number } | { path: string }

/** Sockets of one listener in a worker. */
export interface ListeningSockets {
  /** Descriptors, in the order of `bind`; a range of ports has one for each. */
  fds: number[]
  /** The local port of each, in the same order; 0 for a unix socket. */
  ports: number[]
  /** The first TCP port, '' without one. */
  port: string
}

export type ToWorker =
  | Serve
  /** Finish what is there and exit; what is left after `graceMs` is cut. 0 is no deadline. */
  | { type: 'stop'; graceMs: number }
  | { type: 'addresses'; server: string; addresses: ResolvedAddress[] }
  | ServersMessage

export type ToPrimary =
  /** The worker listens to messages now; what was sent before is lost. */
  | { type: 'hello' }
  | { type: 'ready'; generation: number }
  /** The worker cannot serve this config. */
  | { type: 'refused'; generation: number; reason: string }
  | HeartbeatMessage
