import type { ServerDefinition } from '../../../src/primary/server-entry.ts'
import { ServerTable, type ServerTableOptions } from '../../../src/primary/server-table.ts'
import type { ServerRecord, ServersMessage } from '../../../src/shared/ipc/server-state.ts'

/** `app/a`, checked and without a verdict. */
export function definition(id: string, change: Partial<ServerDefinition> & { weight?: number; port?: number } = {}): ServerDefinition {
  const [upstream, name] = id.split('/') as [string, string]
  const { weight = 1, port = 80, ...rest } = change
  const address = { kind: 'tcp', host: name, port, text: `${name}:${port}` } as const
  const config = { name, address, weight, maxConnections: null, tier: 0, zone: null }
  return { upstream, config, initial: 'unknown', isChecked: true, ...rest }
}

export function definitions(...ids: string[]): ServerDefinition[] {
  return ids.map((id) => definition(id))
}

/** A table of these servers, all of them up since time 1; `lines` gets what it logs after that. */
export function tableOf(ids: string[], options: Partial<ServerTableOptions> = {}): { table: ServerTable; lines: string[] } {
  const lines: string[] = []
  const table = new ServerTable({ epoch: 5, rows: 100, log: (line) => lines.push(line), onChange: () => {}, ...options })
  table.define(definitions(...ids), 1)
  for (const id of ids) table.setHealth(id, 'up', 1)
  lines.length = 0
  return { table, lines }
}

export function record(table: ServerTable, server: string): ServerRecord {
  const entry = table.get(server)
  if (entry === undefined) throw new Error(`no ${server}`)
  return entry.record
}

/** A message that says nothing. */
export function message(change: Partial<ServersMessage>): ServersMessage {
  return { type: 'servers', epoch: 5, version: 0, isWhole: false, servers: [], removed: [], breakers: [], ...change }
}
