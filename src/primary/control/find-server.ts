import type { UpstreamConfig } from '../../shared/config/model.ts'
import { nearest } from '../../shared/config/nearest.ts'
import { ControlError } from '../../shared/control/requests.ts'
import type { ServerEntry } from '../server-entry.ts'
import type { Operation } from './operation.ts'
import { printable } from './printable.ts'

/** More names than these are no help in a message. */
const MOST_LISTED = 8

/** A server by its id, `upstream/server`. Throws ControlError `unknown-name`, which names the nearest one. */
export function serverOf(operation: Operation, id: string): Readonly<ServerEntry> {
  const entry = operation.fleet.table.get(id)
  if (entry === undefined) throw new ControlError('unknown-name', unknownServer(operation, id))
  return entry
}

/** An upstream by its name, with all its servers. Throws ControlError `unknown-name`, which names the nearest one. */
export function upstreamOf(operation: Operation, name: string): UpstreamConfig {
  const { upstreams } = operation.config()
  const found = upstreams.find((upstream) => upstream.name === name)
  if (found === undefined) throw new ControlError('unknown-name', unknownUpstream(operation, name))
  return found
}

function unknownServer(operation: Operation, id: string): string {
  const [upstream = '', ...rest] = id.split('/')
  if (rest.length === 0) return `${quoted(id)} names no server: write upstream/server${didYouMean(id, serverIds(operation))}`
  const config = operation.config().upstreams.find(({ name }) => name === upstream)
  if (config === undefined) {
    const near = nearest(id, serverIds(operation))
    return near === null ? unknownUpstream(operation, upstream) : `there is no server ${quoted(id)}, did you mean "${near}"?`
  }
  const near = didYouMean(
    rest.join('/'),
    config.servers.map(({ name }) => name),
    `${upstream}/`,
  )
  return `there is no server ${quoted(id)}${near === '' ? listed(upstream, config) : near}`
}

function unknownUpstream(operation: Operation, name: string): string {
  const names = operation.config().upstreams.map((upstream) => upstream.name)
  const near = didYouMean(name, names)
  const all = names.length > 0 && names.length <= MOST_LISTED ? `; there is ${names.join(', ')}` : ''
  return `there is no upstream ${quoted(name)}${near === '' ? all : near}`
}

function listed(upstream: string, { servers }: UpstreamConfig): string {
  if (servers.length === 0) return `; ${upstream} has no servers`
  return servers.length > MOST_LISTED ? '' : `; ${upstream} has ${servers.map(({ name }) => name).join(', ')}`
}

function serverIds(operation: Operation): string[] {
  return operation.fleet.table.servers().map(({ server }) => server)
}

function didYouMean(word: string, valid: readonly string[], prefix = ''): string {
  const near = nearest(word, valid)
  return near === null ? '' : `, did you mean "${prefix}${near}"?`
}

function quoted(text: string): string {
  return JSON.stringify(printable(text, 80))
}
