import type { ServerAddress, ServerConfig } from '../shared/config/model.ts'
import { isUsable, type ServerRecord, type ServerState } from '../shared/ipc/server-state.ts'

/** One server as a config or a name service names it. */
export interface ServerDefinition {
  upstream: string
  config: ServerConfig
  /** What it counts as before its first verdict. */
  initial: ServerState['health']
  /** Without active checks there is never a verdict, and it counts as up. */
  isChecked: boolean
}

/** What the primary knows of one server: the record that workers have, and what they need not know. */
export interface ServerEntry {
  record: ServerRecord
  upstream: string
  isChecked: boolean
  /** What the operator said; `record.admin` is this and the soft stop together. */
  admin: ServerState['admin']
  isSoftStopped: boolean
  /** It was down, ejected or in maintenance, or is new beside others: it begins slowly when it is usable. */
  mustWarm: boolean
  sinceMs: { health: number; admin: number }
  /** How often passive health has taken it out. */
  ejections: number
  /** What was said when it last became so; '' for nothing. `admin` is the operator's word, `softStop` the server's own. */
  why: { health: string; admin: string; softStop: string; ejection: string }
}

export function newEntry(definition: ServerDefinition, slot: number, mustWarm: boolean, nowMs: number): ServerEntry {
  const { upstream, config, isChecked } = definition
  return {
    record: {
      server: idOf(definition),
      config,
      slot,
      version: 0,
      health: isChecked ? definition.initial : 'up',
      admin: 'ready',
      isStrict: false,
      isEjected: false,
      isProbing: false,
      weightShare: 1,
      warmSinceMs: 0,
    },
    upstream,
    isChecked,
    admin: 'ready',
    isSoftStopped: false,
    mustWarm,
    sinceMs: { health: nowMs, admin: nowMs },
    ejections: 0,
    why: { health: '', admin: '', softStop: '', ejection: '' },
  }
}

/** `upstream/server` */
export function idOf({ upstream, config }: { upstream: string; config: ServerConfig }): string {
  return `${upstream}/${config.name}`
}

/** What workers are told of two wishes: maintenance is the stronger one. */
export function adminOf({ admin, isSoftStopped }: { admin: ServerState['admin']; isSoftStopped: boolean }): ServerState['admin'] {
  return admin === 'ready' && isSoftStopped ? 'drain' : admin
}

/** What another definition of the same name changes. A server at another address is another one: what was seen of it no longer counts. */
export function redefinition(entry: ServerEntry, definition: ServerDefinition): Partial<ServerRecord> {
  const { record } = entry
  const patch: Partial<ServerRecord> = {}
  if (JSON.stringify(record.config) !== JSON.stringify(definition.config)) patch.config = definition.config
  if (!isSameAddress(record.config.address, definition.config.address))
    Object.assign(patch, { health: definition.initial, isEjected: false, isProbing: false, warmSinceMs: 0 })
  if (!definition.isChecked) patch.health = 'up'
  return patch
}

/** What came before must not be made good at once: see ServerEntry. */
export function mustRest(state: ServerState): boolean {
  return state.health === 'down' || state.admin === 'maint' || state.isEjected || state.isProbing
}

/** The record with a change, and when its slow start began because of it. `hasOthers`: another server of its upstream is usable. */
export function changed(entry: ServerEntry, patch: Partial<ServerRecord>, hasOthers: boolean, nowMs: number): ServerRecord {
  const next = { ...entry.record, ...patch }
  if (mustRest(next)) next.warmSinceMs = 0
  else if (entry.mustWarm && isUsable(next) && !isUsable(entry.record)) next.warmSinceMs = hasOthers ? Math.max(nowMs, 1) : 0
  return next
}

function isSameAddress(one: ServerAddress, other: ServerAddress): boolean {
  return one.kind === other.kind && one.text === other.text
}
