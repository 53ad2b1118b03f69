import type { ConfigDocument } from './document.ts'
import { parseHashKey } from './hash-key.ts'
import { speaksHttp } from './model.ts'
import { entries, entry, isMap, oneOrItems, type Raw } from './raw.ts'
import type { UpstreamUse } from './upstream-uses.ts'

/** A hash policy needs a key, no other policy has one, and connections have only their client's address. */
export function checkHash(upstream: Raw, uses: UpstreamUse[], document: ConfigDocument): void {
  const balance = entry(upstream, 'balance')
  const hash = entry(upstream, 'hash')
  if (balance.value === 'consistent-hash' && hash.value === undefined)
    document.valueProblem(balance.path, 'consistent-hash needs to know what is hashed', 'add hash: { key: path }, or write source-hash')
  if (balance.value !== 'consistent-hash' && hash.value !== undefined)
    document.keyProblem(hash.path, 'has no effect without balance: consistent-hash', 'remove it, or write balance: consistent-hash')
  const key = entry(hash, 'key')
  const use = uses.find(({ protocol }) => !speaksHttp(protocol))
  if (use && readsRequest(key.value))
    document.valueProblem(
      key.path,
      `only requests have it, and ${use.path} sends connections here`,
      'write client-ip, or give connections an upstream of their own',
    )
}

/** Options that only requests use are refused where an upstream gets none. */
export function checkRequestOptions(upstream: Raw, uses: UpstreamUse[], document: ConfigDocument): void {
  if (uses.length === 0 || uses.some(({ protocol }) => speaksHttp(protocol))) return
  const statuses = entry(entry(upstream, 'retry'), 'statuses')
  const options = ['sticky', 'hedge'].map((key) => entry(upstream, key)).filter(isMap)
  for (const { path } of [...options, ...(oneOrItems(statuses).length > 0 ? [statuses] : [])])
    document.keyProblem(path, 'has no effect, as only tcp and tls listeners use this upstream', 'remove it')
}

/** Two upstreams behind one listener that set the same cookie take it from each other. */
export function warnSharedCookies(root: Raw, uses: ReadonlyMap<string, UpstreamUse[]>, document: ConfigDocument): void {
  const sticky = entries(entry(root, 'upstreams')).filter((upstream) => isMap(entry(upstream, 'sticky')))
  const first = new Map<string, Raw>()
  const warned = new Set<string>()
  for (const upstream of sticky) {
    const cookie = cookieOf(upstream)
    const listeners = new Set((uses.get(upstream.key) ?? []).filter(({ protocol }) => speaksHttp(protocol)).map(({ listener }) => listener))
    for (const listener of listeners) {
      const place = `${listener} ${cookie}`
      const earlier = first.get(place)
      if (earlier === undefined) first.set(place, upstream)
      else if (!warned.has(upstream.path)) {
        warned.add(upstream.path)
        warnShared(upstream, `the cookie "${cookie}" is also that of ${earlier.path} on listeners.${listener}`, document)
      }
    }
  }
}

function warnShared(upstream: Raw, message: string, document: ConfigDocument): void {
  const sticky = entry(upstream, 'sticky')
  const cookie = entry(sticky, 'cookie')
  document.keyWarning((cookie.value === undefined ? sticky : cookie).path, message, 'give each upstream a cookie of its own')
}

function cookieOf(upstream: Raw): string {
  const { value = 'weir' } = entry(entry(upstream, 'sticky'), 'cookie')
  return String(value)
}

function readsRequest(key: unknown): boolean {
  if (typeof key === 'function') return true
  const parsed = typeof key === 'string' ? parseHashKey(key) : null
  return parsed?.ok === true && parsed.value.from !== 'client-ip'
}
