import { isDeepStrictEqual } from 'node:util'
import { ipFamily, parseBindAddress } from './address.ts'
import type { ConfigDocument } from './document.ts'
import type { BindAddress } from './model.ts'
import { nearest } from './nearest.ts'
import { entries, entry, items, oneOrItems, type Raw } from './raw.ts'
import { checkRoute, type UpstreamMention } from './route-rules.ts'

/** Rules that join several options: names that must exist or must differ, options that exclude each other. Every breach is reported. */
export function checkRules(document: ConfigDocument): void {
  const root = { path: '', value: document.value }
  const used = new Set<string>()
  const knowsUpstream = (name: UpstreamMention) => checkUpstreamName(name, root, used, document)
  for (const listener of entries(entry(root, 'listeners'))) checkListener(listener, knowsUpstream, document)
  checkBinds(root, document)
  for (const upstream of entries(entry(root, 'upstreams'))) checkServers(upstream, document)
  if (!holdsFunction(root)) warnUnused(root, used, document)
}

function checkListener(listener: Raw, knowsUpstream: (name: UpstreamMention) => void, document: ConfigDocument): void {
  const routes = entry(listener, 'routes')
  const upstream = entry(listener, 'upstream')
  if (routes.value !== undefined && upstream.value !== undefined) {
    document.keyProblem(upstream.path, 'not together with routes', 'write a last route { match: {}, upstream: … } instead')
  }
  if (routes.value === undefined && upstream.value === undefined && typeof listener.value === 'object') {
    document.keyProblem(listener.path, 'has neither routes nor upstream', 'say where its requests go')
  }
  knowsUpstream(upstream)
  for (const route of items(routes)) checkRoute(route, knowsUpstream, document)
}

function checkUpstreamName(name: UpstreamMention, root: Raw, used: Set<string>, document: ConfigDocument): void {
  if (typeof name.value !== 'string') return
  const known = entries(entry(root, 'upstreams')).map(({ key }) => key)
  used.add(name.value)
  if (known.includes(name.value)) return
  const guess = nearest(name.value, known)
  const hint = guess === null ? hintOf(known) : `did you mean "${guess}"?`
  const message = `no upstream is named ${JSON.stringify(name.value)}`
  if (name.isKey) document.keyProblem(name.path, message, hint)
  else document.valueProblem(name.path, message, hint)
}

function hintOf(known: string[]): string {
  return known.length === 0 ? 'there are no upstreams' : `there ${known.length === 1 ? 'is' : 'are'}: ${known.slice(0, 10).join(', ')}`
}

function checkServers(upstream: Raw, document: ConfigDocument): void {
  const names = new Map<string, Raw>()
  for (const server of items(entry(upstream, 'servers'))) {
    const given = entry(server, 'name')
    const named = [given, entry(server, 'address'), server].find(({ value }) => typeof value === 'string')
    if (!named) continue
    const earlier = names.get(String(named.value))
    if (earlier)
      document.valueProblem(
        named.path,
        `a second server named ${JSON.stringify(named.value)}; the first is ${earlier.path}`,
        'give it a name of its own',
      )
    else names.set(String(named.value), server)
  }
}

function checkBinds(root: Raw, document: ConfigDocument): void {
  const taken: { address: BindAddress; path: string }[] = []
  for (const listener of entries(entry(root, 'listeners'))) {
    for (const bind of oneOrItems(entry(listener, 'bind'))) {
      const result = parseBindAddress(String(bind.value))
      if (typeof bind.value !== 'string' || !result.ok) continue
      const other = taken.find(({ address }) => overlap(address, result.value))
      if (other) document.valueProblem(bind.path, `${bind.value} is already taken by ${other.path} (${other.address.text})`)
      taken.push({ address: result.value, path: bind.path })
    }
  }
}

function overlap(a: BindAddress, b: BindAddress): boolean {
  if (a.kind !== 'tcp' || b.kind !== 'tcp') return a.kind === b.kind && isDeepStrictEqual(a, b)
  // Port 0 is another port each time.
  if (a.port !== b.port || a.port === 0) return false
  return a.host.toLowerCase() === b.host.toLowerCase() || covers(a.host, b.host) || covers(b.host, a.host)
}

/** Whether a socket on `wide` takes the port of `narrow` too. */
function covers(wide: string, narrow: string): boolean {
  if (wide === '') return true
  return wide === '0.0.0.0' && ipFamily(narrow) === 4
}

function holdsFunction(root: Raw): boolean {
  const routes = entries(entry(root, 'listeners')).flatMap((listener) => items(entry(listener, 'routes')))
  return routes.some((route) => typeof entry(route, 'onRequest').value === 'function')
}

function warnUnused(root: Raw, used: Set<string>, document: ConfigDocument): void {
  for (const { key, path } of entries(entry(root, 'upstreams'))) {
    if (!used.has(key)) document.keyWarning(path, 'no route uses this upstream')
  }
}
