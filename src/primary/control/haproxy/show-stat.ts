import { machineMs } from '../../../shared/base/clock.ts'
import type { Operation } from '../operation.ts'
import { type HaproxyCommand, HaproxyError } from './command.ts'
import { type Backend, backends, FIRST_PROXY } from './find.ts'
import { type StatRow, statColumns } from './stat-columns.ts'
import { backendRow, frontendRow, serverRow } from './stat-rows.ts'

/** Bits of the second argument. */
const kinds = { frontend: 1, backend: 2, server: 4 }

export const showStat: HaproxyCommand = {
  words: ['show', 'stat'],
  usage: 'show stat [{<iid>|<proxy>} <type> <sid>]',
  text: 'report counters for each proxy and server',
  run(operation, args) {
    const rows = rowsOf(operation).filter(filterOf(operation, args))
    return [`# ${statColumns.join(',')},`, ...rows.map(csvLine)].join('\n')
  },
}

function rowsOf(operation: Operation): StatRow[] {
  const nowMs = machineMs()
  const frontends = operation.listeners().map((listener, index) => frontendRow(operation, listener, index + FIRST_PROXY))
  return [...frontends, ...backends(operation).flatMap((backend) => backendRows(operation, backend, nowMs))]
}

function backendRows(operation: Operation, backend: Backend, nowMs: number): StatRow[] {
  const servers = backend.servers.map(({ id, entry }) => serverRow(operation, { backend, id, entry, nowMs }))
  return [...servers, backendRow(operation, backend, servers, nowMs)]
}

/** `-1` is any. Other formats than CSV do not exist here. */
function filterOf(operation: Operation, args: readonly string[]): (row: StatRow) => boolean {
  if (args.length === 0) return () => true
  const [proxy = '', type = '-1', sid = '-1'] = args
  if (args.length < 3) throw new HaproxyError('Only CSV is known: show stat [{<iid>|<proxy>} <type> <sid>]')
  const isNumber = /^-?\d+$/.test(proxy)
  const { listeners, upstreams } = operation.config()
  if (!isNumber && ![...listeners, ...upstreams].some(({ name }) => name === proxy)) throw new HaproxyError('No such proxy.')
  return (row) => {
    const isProxy = isNumber ? Number(proxy) < 0 || row.iid === Number(proxy) : row.pxname === proxy
    const isType = Number(type) < 0 || (Number(type) & bitOf(row)) !== 0
    return isProxy && isType && (Number(sid) < 0 || row.sid === Number(sid))
  }
}

function bitOf({ svname, type }: StatRow): number {
  if (type === 2) return kinds.server
  return svname === 'BACKEND' ? kinds.backend : kinds.frontend
}

function csvLine(row: StatRow): string {
  return `${statColumns.map((column) => csvField(row[column] ?? '')).join(',')},`
}

function csvField(value: string | number): string {
  const text = String(value)
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
