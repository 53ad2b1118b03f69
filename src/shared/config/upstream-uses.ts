import { type Protocol, protocolOf } from './protocol-rules.ts'
import { entries, entry, items, type Raw } from './raw.ts'

/** A route, or a listener's `upstream`, that names an upstream. */
export interface UpstreamUse {
  listener: string
  protocol: Protocol
  path: string
}

/** Who sends what to each upstream, by its name, in the order of the file. */
export function upstreamUses(root: Raw): Map<string, UpstreamUse[]> {
  const uses = new Map<string, UpstreamUse[]>()
  for (const listener of entries(entry(root, 'listeners'))) {
    const protocol = protocolOf(listener)
    if (protocol === null) continue
    for (const { name, path } of mentions(listener)) uses.set(name, [...(uses.get(name) ?? []), { listener: listener.key, protocol, path }])
  }
  return uses
}

function mentions(listener: Raw): { name: string; path: string }[] {
  const routes = items(entry(listener, 'routes'))
  const single = [listener, ...routes].map((holder) => entry(holder, 'upstream'))
  const named = single.flatMap(({ value, path }) => (typeof value === 'string' ? [{ name: value, path }] : []))
  const shared = routes.flatMap((route) => entries(entry(route, 'split')).map(({ key, path }) => ({ name: key, path })))
  return [...named, ...shared]
}
