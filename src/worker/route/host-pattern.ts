/** A host of a route: exact, or `*.suffix`, which matches one or more labels before the suffix. */
export interface HostPattern {
  readonly kind: 'exact' | 'wildcard'
  /** The name itself, or the suffix with its leading dot. */
  readonly value: string
}

/** Compiles `example.com` or `*.example.com`; null for `*`, which is the same as no host at all. */
export function compileHost(text: string): HostPattern | null {
  if (text === '*') return null
  if (text.startsWith('*.')) return { kind: 'wildcard', value: canonicalHost(text.slice(1)) }
  return { kind: 'exact', value: canonicalHost(text) }
}

/** `example.com.` names the same host as `example.com` (RFC 3986 3.2.2). Expects lower case, without port. */
export function canonicalHost(host: string): string {
  return host.length > 1 && host.endsWith('.') ? host.slice(0, -1) : host
}

/** Whether a canonical host answers to the pattern; null stands for any host. */
export function hostMatches(pattern: HostPattern | null, host: string): boolean {
  if (pattern === null) return true
  if (pattern.kind === 'exact') return host === pattern.value
  return host.length > pattern.value.length && host.endsWith(pattern.value)
}

/** Sorts by specificity: exact, then wildcards with the longer suffix first, then any. 0 when neither is more specific. */
export function compareHosts(a: HostPattern | null, b: HostPattern | null): number {
  return hostRank(a) - hostRank(b) || suffixLength(b) - suffixLength(a)
}

export function hostText(pattern: HostPattern | null): string {
  if (pattern === null) return 'any host'
  return pattern.kind === 'exact' ? pattern.value : `*${pattern.value}`
}

function hostRank(pattern: HostPattern | null): number {
  if (pattern === null) return 2
  return pattern.kind === 'exact' ? 0 : 1
}

function suffixLength(pattern: HostPattern | null): number {
  return pattern?.kind === 'wildcard' ? pattern.value.length : 0
}
