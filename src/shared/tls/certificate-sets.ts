import type { TlsCertificate, TlsServerOptions } from '../../native/contract.ts'
import type { CertificateFacts } from './certificate-pair.ts'

export interface SetMember {
  certificate: TlsCertificate
  facts: Pick<CertificateFacts, 'dns' | 'ips' | 'keyKind'>
}

/** Certificates by what they are for: see TlsServerOptions. */
export interface CertificateSets<M extends SetMember> {
  sets: M[][]
  names: TlsServerOptions['names']
  /** Those that no client ever gets, as others came first for all their names. */
  unused: M[]
}

/**
 * Puts certificates for the same names and with other kinds of keys side by side. In their order: the first set is that of unknown
 * names, and a name belongs to the first set that is for it.
 */
export function certificateSets<M extends SetMember>(members: readonly M[]): CertificateSets<M> {
  const sets: { key: string; members: M[] }[] = []
  const unused: M[] = []
  for (const member of members) {
    const key = [...member.facts.dns, ...member.facts.ips].sort().join(' ')
    const same = sets.find((set) => set.key === key)
    if (same === undefined) sets.push({ key, members: [member] })
    else if (same.members.some(({ facts }) => facts.keyKind === member.facts.keyKind)) unused.push(member)
    else same.members.push(member)
  }
  const owners = new Map<string, number>()
  for (const [index, set] of sets.entries()) {
    const own = (set.members[0] as M).facts.dns.filter((name) => !owners.has(name))
    for (const name of own) owners.set(name, index)
    if (own.length === 0 && index > 0) unused.push(...set.members)
  }
  return { sets: sets.map((set) => set.members), names: [...owners].map(([name, set]) => ({ name, set })), unused }
}
