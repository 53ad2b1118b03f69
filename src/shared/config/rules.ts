import { checkHash, checkRequestOptions, warnSharedCookies } from './balance-rules.ts'
import { checkBinds } from './bind-rules.ts'
import type { ConfigDocument } from './document.ts'
import { checkFailureHandling, checkHealth } from './health-rules.ts'
import { checkLogs } from './log-rules.ts'
import { speaksHttp } from './model.ts'
import { nearest } from './nearest.ts'
import { checkProcess } from './process-rules.ts'
import { checkProtocol, protocolOf } from './protocol-rules.ts'
import { entries, entry, items, type Raw } from './raw.ts'
import { checkConnectionRoute, checkRoute, type UpstreamMention } from './route-rules.ts'
import { checkServers } from './server-rules.ts'
import { checkChallenges, checkListenerTls, checkRedirect, checkUpstreamTls } from './tls-rules.ts'
import { type UpstreamUse, upstreamUses } from './upstream-uses.ts'
import { checkZones } from './zone-rules.ts'

/** Rules that join several options: names that must exist or must differ, options that exclude each other. Every breach is reported. */
export function checkRules(document: ConfigDocument): void {
  const root = { path: '', value: document.value }
  const used = new Set<string>()
  const knowsUpstream = (name: UpstreamMention) => checkUpstreamName(name, root, used, document)
  for (const listener of entries(entry(root, 'listeners'))) checkListener(listener, knowsUpstream, document)
  checkBinds(root, document)
  checkChallenges(root, document)
  const uses = upstreamUses(root)
  const hasFunction = holdsFunction(root)
  for (const upstream of entries(entry(root, 'upstreams'))) {
    checkUpstream(upstream, uses.get(upstream.key) ?? [], document)
    // A function may send requests to any upstream.
    if (!hasFunction) checkRequestOptions(upstream, uses.get(upstream.key) ?? [], document)
  }
  checkZones(root, document)
  checkProcess(root, document)
  checkLogs(root, document)
  warnSharedCookies(root, uses, document)
  if (!hasFunction) warnUnused(root, used, document)
}

function checkListener(listener: Raw, knowsUpstream: (name: UpstreamMention) => void, document: ConfigDocument): void {
  const routes = entry(listener, 'routes')
  const protocol = protocolOf(listener)
  const isHttp = protocol === null || speaksHttp(protocol)
  checkWhere(listener, isHttp, document)
  checkRedirect(listener, protocol, document)
  knowsUpstream(entry(listener, 'upstream'))
  checkProtocol(listener, document)
  checkListenerTls(listener, protocol, document)
  for (const route of items(routes)) (isHttp ? checkRoute : checkConnectionRoute)(route, knowsUpstream, document)
}

/** Something says where what comes goes, and only one thing does. */
function checkWhere(listener: Raw, isHttp: boolean, document: ConfigDocument): void {
  const [routes, upstream, redirect] = ['routes', 'upstream', 'redirectToHttps'].map((key) => entry(listener, key)) as [Raw, Raw, Raw]
  if (routes.value !== undefined && upstream.value !== undefined)
    document.keyProblem(upstream.path, 'not together with routes', 'write a last route { match: {}, upstream: … } instead')
  if (redirect.value !== undefined)
    for (const { path, value } of [routes, upstream])
      if (value !== undefined) document.keyProblem(path, 'has no effect, as redirectToHttps answers every request', 'leave one of them out')
  const isOpen = [routes, upstream, redirect].every(({ value }) => value === undefined)
  if (isOpen && typeof listener.value === 'object')
    document.keyProblem(
      listener.path,
      'has neither routes nor upstream',
      isHttp ? 'say where its requests go' : 'say where its connections go',
    )
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

function checkUpstream(upstream: Raw, uses: UpstreamUse[], document: ConfigDocument): void {
  checkServers(upstream, document)
  checkHealth(upstream, document)
  checkHash(upstream, uses, document)
  checkFailureHandling(upstream, document)
  checkUpstreamTls(upstream, document)
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
