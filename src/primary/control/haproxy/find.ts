import type { UpstreamConfig } from '../../../shared/config/model.ts'
import type { ServerEntry } from '../../server-entry.ts'
import type { Operation } from '../operation.ts'
import { HaproxyError } from './command.ts'

/** A server by `backend/server`. Throws HaproxyError with HAProxy's words. */
export function serverByName(operation: Operation, name: string | undefined): Readonly<ServerEntry> {
  const slash = name?.indexOf('/') ?? -1
  if (name === undefined || slash < 1 || slash === name.length - 1) throw new HaproxyError("Require 'backend/server'.")
  if (!operation.config().upstreams.some((upstream) => upstream.name === name.slice(0, slash))) throw new HaproxyError('No such backend.')
  const entry = operation.fleet.table.get(name)
  if (entry === undefined) throw new HaproxyError('No such server.')
  return entry
}

/** HAProxy's first proxy is its own interface. Listeners come next, then upstreams. */
export const FIRST_PROXY = 2

/** An upstream with its number among all proxies. */
export interface Backend {
  id: number
  config: UpstreamConfig
  servers: { id: number; entry: Readonly<ServerEntry> }[]
}

export function backends(operation: Operation): Backend[] {
  const { upstreams, listeners } = operation.config()
  return upstreams.map((config, index) => ({
    id: FIRST_PROXY + listeners.length + index,
    config,
    servers: config.servers.flatMap(({ name }, place) => {
      const entry = operation.fleet.table.get(`${config.name}/${name}`)
      return entry === undefined ? [] : [{ id: place + 1, entry }]
    }),
  }))
}
