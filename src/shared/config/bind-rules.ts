import { isDeepStrictEqual } from 'node:util'
import { ipFamily, parseBindAddress } from './address.ts'
import type { ConfigDocument } from './document.ts'
import type { BindAddress } from './model.ts'
import { entries, entry, oneOrItems, type Raw } from './raw.ts'

const mostSockets = 2000

/** No two listeners, nor the HTTP interface, take the same address, and all of them together open a number of sockets that a process can hold. */
export function checkBinds(root: Raw, document: ConfigDocument): void {
  const taken: { address: BindAddress; path: string }[] = []
  let sockets = 0
  const ofListeners = entries(entry(root, 'listeners')).flatMap((listener) => oneOrItems(entry(listener, 'bind')))
  for (const bind of [...ofListeners, ...oneOrItems(entry(entry(root, 'admin'), 'bind'))]) {
    const result = parseBindAddress(String(bind.value))
    if (typeof bind.value !== 'string' || !result.ok) continue
    const other = taken.find(({ address }) => overlap(address, result.value))
    if (other) document.valueProblem(bind.path, `${bind.value} is already taken by ${other.path} (${other.address.text})`)
    taken.push({ address: result.value, path: bind.path })
    const before = sockets
    sockets += countSockets(result.value)
    if (before <= mostSockets && sockets > mostSockets) reportTooMany(bind, sockets, document)
  }
}

function reportTooMany(bind: Raw, sockets: number, document: ConfigDocument): void {
  document.valueProblem(
    bind.path,
    `all listeners together have at most ${mostSockets} listening sockets, one for each port; with this there are ${sockets}`,
    'listen on fewer ports',
  )
}

function countSockets(address: BindAddress): number {
  return address.kind === 'tcp' ? address.lastPort - address.port + 1 : 1
}

function overlap(a: BindAddress, b: BindAddress): boolean {
  if (a.kind !== 'tcp' || b.kind !== 'tcp') return a.kind === b.kind && isDeepStrictEqual(a, b)
  // Port 0 is another port each time.
  if (a.port === 0 || b.port === 0 || a.port > b.lastPort || b.port > a.lastPort) return false
  return a.host.toLowerCase() === b.host.toLowerCase() || covers(a.host, b.host) || covers(b.host, a.host)
}

/** Whether a socket on `wide` takes the port of `narrow` too. */
function covers(wide: string, narrow: string): boolean {
  if (wide === '') return true
  return wide === '0.0.0.0' && ipFamily(narrow) === 4
}
