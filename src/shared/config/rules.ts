import { checkBinds } from './bind-rules.ts'
import type { ConfigDocument } from './document.ts'
import { nearest } from './nearest.ts'
import { checkProtocol, protocolOf } from './protocol-rules.ts'
import { entries, entry, items, type Raw } from './raw.ts'
import { checkConnectionRoute, checkRoute, type UpstreamMention } from './route-rules.ts'

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
    document.keyProblem(
      listener.path,
      'has neither routes nor upstream',
      protocolOf(listener) === 'http' ? 'say where its requests go' : 'say where its connections go',
    )
  }
  knowsUpstream(upstream)
  checkProtocol(listener, document)
  const isHttp = protocolOf(listener) === 'http'
  for (const route of items(routes)) (isHttp ? checkRoute : checkConnectionRoute)(route, knowsUpstream, document)
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

function holdsFunction(root: Raw): boolean {
  const routes = entries(entry(root, 'listeners')).flatMap((listener) => items(entry(listener, 'routes')))
  return routes.some((route) => ['onRequest', 'onConnection'].some((key) => typeof entry(route, key).value === 'function'))
}

function warnUnused(root: Raw, used: Set<string>, document: ConfigDocument): void {
  for (const { key, path } of entries(entry(root, 'upstreams'))) {
    if (!used.has(key)) document.keyWarning(path, 'no route uses this upstream')
  }
}
