import type { ListenerStatus, Override, ServerStatus, StatusData, UpstreamStatus } from '../shared/control/data.ts'
import { type Cell, type Colour, type Column, coloured, cut, type Screen, table } from './table.ts'
import { ago, counted, grouped, printable, span } from './words.ts'
import { workersTable } from './workers-text.ts'

const stateColours: Record<ServerStatus['state'], Colour> = {
  up: 'green',
  down: 'red',
  unknown: 'yellow',
  warming: 'yellow',
  probing: 'yellow',
  ejected: 'red',
  draining: 'yellow',
  drained: 'cyan',
  maint: 'cyan',
}

/** What an operator looks at first: how it is, what listens, who serves and why not, and what commands have changed. */
export function statusText({ generation, data }: { generation: number; data: StatusData }, screen: Screen): string {
  const servers = data.upstreams.flatMap((upstream) => upstream.servers)
  const parts = [
    headText(generation, data, screen),
    section(listenersTable(data.listeners, screen), data.listeners.length),
    section(upstreamsTable(data.upstreams, screen), data.upstreams.length),
    section(serversTable(servers, screen), servers.length),
    section(workersTable(data.workers, screen), data.workers.length),
    section(overridesTable(data.overrides, screen), data.overrides.length),
  ]
  return parts.join('')
}

/** Of `weir status`, and of other views of servers. */
export function serversTable(servers: readonly ServerStatus[], screen: Screen): string {
  const columns: Column[] = [
    { title: 'SERVER' },
    { title: 'ADDRESS' },
    { title: 'STATE' },
    { title: 'WEIGHT', align: 'right' },
    { title: 'IN FLIGHT', align: 'right' },
    { title: 'REQUESTS', align: 'right' },
    { title: 'FAILURES', align: 'right' },
    { title: 'P50', align: 'right' },
    { title: 'P99', align: 'right' },
    { title: 'OVERHEAD P99', align: 'right' },
    { title: 'LAST CHECK' },
    { title: 'REASON' },
  ]
  return table(columns, servers.map(serverRow), screen)
}

function serverRow(server: ServerStatus): Cell[] {
  const { id, name, address, state, inFlight, maxConnections, exchanges, failures } = server
  return [
    id,
    name === address ? '' : address,
    { text: state, colour: stateColours[state] },
    weightOf(server),
    maxConnections === null ? grouped(inFlight) : `${grouped(inFlight)}/${grouped(maxConnections)}`,
    grouped(exchanges),
    failures > 0 ? { text: grouped(failures), colour: 'yellow' } : '0',
    ...latencyCells(server.lastMinute),
    lastCheckOf(server),
    reasonOf(server),
  ]
}

/** Of the last minute; empty where nothing was measured. */
function latencyCells(figures: ServerStatus['lastMinute']): Cell[] {
  return figures ? [micros(figures.p50), micros(figures.p99), micros(figures.overheadP99)] : ['', '', '']
}

/** `84 µs`, `1.2 ms`. */
function micros(us: number): string {
  return us < 999.5 ? `${Math.round(us)} µs` : span(us / 1_000)
}

/** `3`, or `50% of 3`. */
function weightOf({ weight, weightShare }: ServerStatus): string {
  return weightShare === 1 ? String(weight) : `${Number((weightShare * 100).toFixed(1))}% of ${weight}`
}

/** `L7OK 1.2 ms, 3 s ago`. */
function lastCheckOf({ lastCheck, isChecked }: ServerStatus): string {
  if (!isChecked) return 'not checked'
  return lastCheck === null ? 'none yet' : `${lastCheck.code} ${span(lastCheck.latencyMs)}, ${ago(lastCheck.agoMs)}`
}

function reasonOf({ why, isBackup, source }: ServerStatus): string {
  const origin = { config: '', discovered: 'discovered', added: 'added by command' }[source]
  return [why, isBackup ? 'backup' : '', origin].filter((text) => text !== '').join('; ')
}

function headText(generation: number, data: StatusData, screen: Screen): string {
  const { version, pid, state, uptimeMs, configFile, lastReload } = data
  const shown = state === 'running' ? coloured(state, 'green', screen) : coloured(state, 'yellow', screen)
  const facts = [`pid ${pid}`, `up ${span(uptimeMs)}`, `generation ${generation}`, ...(configFile === null ? [] : [printable(configFile)])]
  const head = `weir ${version} ${shown}, ${facts.join(', ')}\n`
  return head + minuteLine(data) + (lastReload === null ? '' : reloadLine(lastReload, screen))
}

/** What clients waited, and how much of it was our own. */
function minuteLine({ lastMinute }: StatusData): string {
  if (!lastMinute) return ''
  const [p50, p99, overhead] = [lastMinute.p50, lastMinute.p99, lastMinute.overheadP99].map(micros)
  return `last minute: p50 ${p50}, p99 ${p99}, of which weir itself p99 ${overhead}\n`
}

function reloadLine({ at, ok, message }: NonNullable<StatusData['lastReload']>, screen: Screen): string {
  const [first = ''] = message.split('\n')
  const line = cut(`last reload ${ok ? 'at' : 'failed at'} ${moment(at)}: ${printable(first)}`, screen.width ?? Number.POSITIVE_INFINITY)
  return `${ok ? line : coloured(line, 'red', screen)}\n`
}

/** Local time, without what nobody reads: `2026-01-31 14:05:09`. */
function moment(iso: string): string {
  const date = new Date(iso)
  return Number.isNaN(date.getTime()) ? printable(iso) : date.toLocaleString('sv-SE')
}

function listenersTable(listeners: readonly ListenerStatus[], screen: Screen): string {
  const columns: Column[] = [{ title: 'LISTENER' }, { title: 'PROTOCOL' }, { title: 'CONNECTIONS', align: 'right' }, { title: 'ADDRESS' }]
  const rows = listeners.map(({ name, protocol, addresses, connections }) => [name, protocol, grouped(connections), addresses.join(' ')])
  return table(columns, rows, screen)
}

function upstreamsTable(upstreams: readonly UpstreamStatus[], screen: Screen): string {
  const columns: Column[] = [
    { title: 'UPSTREAM' },
    { title: 'BALANCE' },
    { title: 'USABLE' },
    { title: 'WAITING', align: 'right' },
    { title: 'NOTE' },
  ]
  const rows = upstreams.map(({ name, balance, usable, servers, waiting, breaker }): Cell[] => [
    name,
    balance,
    { text: `${usable} of ${servers.length}`, colour: usableColour(usable, servers.length) },
    grouped(waiting),
    breaker < 1 ? `circuit breaker lets ${Math.round(breaker * 100)}% through` : '',
  ])
  return table(columns, rows, screen)
}

function usableColour(usable: number, all: number): Colour {
  if (usable === all) return 'green'
  return usable === 0 ? 'red' : 'yellow'
}

function overridesTable(overrides: readonly Override[], screen: Screen): string {
  const columns: Column[] = [{ title: 'OVERRIDE' }, { title: 'WHAT' }, { title: 'IN FORCE' }, { title: 'SINCE' }, { title: 'CONFLICT' }]
  const rows = overrides.map(({ server, what, value, since, conflict }): Cell[] => [
    server,
    what,
    value,
    moment(since),
    conflict === null ? '' : { text: `the config says ${conflict}`, colour: 'yellow' },
  ])
  const hint = `${counted(overrides.length, 'override')} of the config by command; "weir config save" writes them into it\n`
  return table(columns, rows, screen) + coloured(hint, 'dim', screen)
}

function section(text: string, rows: number): string {
  return rows === 0 ? '' : `\n${text}`
}
