/** What a name stands for. `dns`: addresses. `srv`: services, each a target with a port (RFC 2782). */
export type NameKind = 'dns' | 'srv'

export type Answer = AddressAnswer | ServiceAnswer

export interface AddressAnswer {
  kind: 'dns'
  /** IPv4 before IPv6, without duplicates. */
  addresses: string[]
  /** The family that could not be asked for; its addresses of before count on. */
  missing: 4 | 6 | null
  /** As the records say, not yet clamped. */
  ttlMs: number
}

export interface ServiceAnswer {
  kind: 'srv'
  services: Service[]
  ttlMs: number
}

export interface Service {
  /** Lower case, without the dot at its end. */
  target: string
  port: number
  /** The lowest is used first. */
  priority: number
  weight: number
  /** Where the target is; null when that could not be found out. */
  at: AddressAnswer | null
}

/** An answer without a single record says as little as none. */
export function isEmpty(answer: Answer): boolean {
  return answer.kind === 'dns' ? answer.addresses.length === 0 : answer.services.length === 0
}

/** The new answer, with what it could not find out taken over from the one before. */
export function completed(answer: Answer, before: Answer | null): Answer {
  if (answer.kind === 'dns') return completedAddresses(answer, before?.kind === 'dns' ? before : null)
  const known = new Map(before?.kind === 'srv' ? before.services.map((service) => [service.target, service.at]) : [])
  const services = answer.services.map((service) => {
    const old = known.get(service.target) ?? null
    return { ...service, at: service.at === null ? old : completedAddresses(service.at, old) }
  })
  return { ...answer, services }
}

function completedAddresses(answer: AddressAnswer, before: AddressAnswer | null): AddressAnswer {
  if (answer.missing === null || before === null) return answer
  const kept = before.addresses.filter((address) => familyOf(address) === answer.missing)
  const addresses = answer.missing === 4 ? [...kept, ...answer.addresses] : [...answer.addresses, ...kept]
  return { ...answer, addresses }
}

/** Whether two answers mean the same: neither order nor time to live counts. */
export function meansTheSame(a: Answer, b: Answer): boolean {
  return facts(a) === facts(b)
}

function facts(answer: Answer): string {
  if (answer.kind === 'dns') return JSON.stringify([...answer.addresses].sort())
  return JSON.stringify(
    answer.services
      .map(({ target, port, priority, weight, at }) => JSON.stringify([target, port, priority, weight, at && facts(at)]))
      .sort(),
  )
}

function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4
}
