import type { ConfigDocument } from './document.ts'
import { nearest } from './nearest.ts'
import { entries, entry, items, type Raw } from './raw.ts'

/** Zones are of use only where the balancer and its servers name the same. */
export function checkZones(root: Raw, document: ConfigDocument): void {
  const own = entry(root, 'zone')
  const zones = entries(entry(root, 'upstreams')).map((upstream) =>
    items(entry(upstream, 'servers')).map((server) => entry(server, 'zone')),
  )
  const named = zones.map((zone) => zone.filter(({ value }) => typeof value === 'string'))
  if (typeof own.value === 'string') checkOwn(own, named.flat(), document)
  // Once for each upstream: it may have a thousand servers.
  if (own.value !== undefined) return
  for (const [first] of named) {
    if (first) document.valueWarning(first.path, 'has no effect, as this balancer has no zone', 'set zone at the top of the config')
  }
}

function checkOwn(own: Raw, zones: Raw[], document: ConfigDocument): void {
  const known = [...new Set(zones.map(({ value }) => String(value)))]
  if (known.includes(String(own.value))) return
  const guess = nearest(String(own.value), known)
  const others =
    known.length === 0
      ? 'give servers a zone, or remove it'
      : `there ${known.length === 1 ? 'is' : 'are'}: ${known.slice(0, 10).join(', ')}`
  const hint = guess === null ? others : `did you mean "${guess}"?`
  document.valueProblem(own.path, `unknown zone ${JSON.stringify(own.value)}: no server is in it`, hint)
}
