import type { SrvRecord } from 'node:dns'
import { lookup, Resolver } from 'node:dns/promises'
import { isHostName } from '../../shared/config/address.ts'
import type { AddressAnswer, Answer, NameKind, Service, ServiceAnswer } from './answer.ts'
import { Gate } from './gate.ts'
import { HostsFile } from './hosts-file.ts'

/** Where names are looked up. Tests and simulations bring their own. */
export interface Resolve {
  /** What is behind a name now. Rejects with an Error whose `code` is that of node:dns, such as ENOTFOUND, ENODATA or ETIMEOUT. */
  ask(kind: NameKind, name: string): Promise<Answer>
  /** Gives up what is being asked: it rejects with ECANCELLED. */
  stop(): void
}

export interface DnsOptions {
  /** `ip` or `ip:port` each, in place of those of the system, whose own resolver is then never asked. */
  servers?: string[]
  hosts?: HostsFile
}

/** Two tries of two seconds with each server; the resolver of Node.js makes a second try somewhat longer than the first. */
const PATIENCE = { timeout: 2_000, tries: 2 }
/** Names that are asked at once: more would overflow the socket of a small DNS server and cost everyone a try. */
const AT_ONCE = 64
/** What has no time to live of its own: the hosts file and the system's resolver. */
const SYSTEM_TTL_MS = 30_000
/** Until a part of an answer that is missing is asked for again. */
const PARTIAL_TTL_MS = 5_000

/** Servers of the environment variable WEIR_DNS_SERVERS, comma-separated; undefined when it is not set. */
export function dnsServersOf(environment: Record<string, string | undefined>): string[] | undefined {
  const list = environment['WEIR_DNS_SERVERS']?.split(/[\s,]+/).filter((one) => one !== '')
  return list && list.length > 0 ? list : undefined
}

/** The hosts file first, then DNS, then what else the system knows: search domains, other sources of nsswitch.conf. */
export class DnsResolver implements Resolve {
  readonly #servers: string[] | undefined
  readonly #hosts: HostsFile
  readonly #gate = new Gate(AT_ONCE)
  readonly #open = new Set<Resolver>()
  #isStopped = false

  /** Throws an Error when a server is no IP address, with or without a port. */
  constructor({ servers = dnsServersOf(process.env), hosts = new HostsFile() }: DnsOptions = {}) {
    this.#servers = servers
    this.#hosts = hosts
    try {
      if (servers) new Resolver().setServers(servers)
    } catch {
      throw new Error(`DNS servers are IP addresses, each with a port or without, found ${servers?.join(', ')}`)
    }
  }

  ask(kind: NameKind, name: string): Promise<Answer> {
    const plain = name.toLowerCase().replace(/\.$/, '')
    return kind === 'dns' ? this.#addresses(plain) : this.#services(plain)
  }

  stop(): void {
    this.#isStopped = true
    for (const resolver of this.#open) resolver.cancel()
  }

  async #addresses(name: string): Promise<AddressAnswer> {
    const listed = await this.#hosts.addresses(name)
    if (listed.length > 0) return systemAnswer(listed)
    // RFC 6761 section 6.3: these names are never a question for DNS.
    if (/^(.*\.)?localhost$/.test(name)) return this.#askSystem(name)
    try {
      return await this.#query((resolver) => bothFamilies(resolver, name))
    } catch (error) {
      // Of a DNS server that is silent the system would hear nothing either, and wait longer for it.
      if (this.#servers || ['ETIMEOUT', 'ECANCELLED'].includes(codeOf(error))) throw error
      return this.#askSystem(name).catch(() => Promise.reject(error))
    }
  }

  async #askSystem(name: string): Promise<AddressAnswer> {
    const found = await this.#gate.run(() => lookup(name, { all: true, order: 'ipv4first' }))
    return systemAnswer([...new Set(found.map(({ address }) => address))])
  }

  async #services(name: string): Promise<ServiceAnswer> {
    const records = (await this.#query((resolver) => resolver.resolveSrv(name))).filter(isUsable)
    if (records.length === 0) throw failure('ENODATA', name)
    const targets = [...new Set(records.map(targetOf))]
    const found = await Promise.all(targets.map((target) => this.#addresses(target).catch(() => null)))
    const at = new Map(targets.map((target, i) => [target, found[i] ?? null]))
    const services = records.map((record): Service => {
      const { port, priority, weight } = record
      return { target: targetOf(record), port, priority, weight, at: at.get(targetOf(record)) ?? null }
    })
    // Node.js does not tell the time to live of SRV records.
    return { kind: 'srv', services, ttlMs: Math.min(...found.map((answer) => answer?.ttlMs ?? PARTIAL_TTL_MS)) }
  }

  /** A resolver per question: resolv.conf may have changed, and nothing is answered from a cache. */
  #query<T>(question: (resolver: Resolver) => Promise<T>): Promise<T> {
    return this.#gate.run(async () => {
      if (this.#isStopped) throw failure('ECANCELLED', 'the resolver has stopped')
      const resolver = new Resolver(PATIENCE)
      if (this.#servers) resolver.setServers(this.#servers)
      this.#open.add(resolver)
      try {
        return await question(resolver)
      } finally {
        this.#open.delete(resolver)
      }
    })
  }
}

async function bothFamilies(resolver: Resolver, name: string): Promise<AddressAnswer> {
  const results = await Promise.allSettled([resolver.resolve4(name, { ttl: true }), resolver.resolve6(name, { ttl: true })])
  const records = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []))
  const grave = errors.find((error) => !saysNothing(error))
  if (records.length === 0) throw grave ?? errors.find((error) => codeOf(error) === 'ENOTFOUND') ?? errors[0] ?? failure('ENODATA', name)
  // Node.js tells the time to live of the first 256 records of an answer only.
  const ttlMs = Math.min(...records.map(({ ttl }) => ttl ?? Number.POSITIVE_INFINITY)) * 1_000
  const addresses = [...new Set(records.map(({ address }) => address))]
  if (!grave) return { kind: 'dns', addresses, missing: null, ttlMs }
  return { kind: 'dns', addresses, missing: results[0].status === 'rejected' ? 4 : 6, ttlMs: Math.min(ttlMs, PARTIAL_TTL_MS) }
}

/** Whether it is an answer (there is no such record) and no failure to answer. */
function saysNothing(error: unknown): boolean {
  return ['ENODATA', 'ENOTFOUND'].includes(codeOf(error))
}

function systemAnswer(addresses: string[]): AddressAnswer {
  return { kind: 'dns', addresses, missing: null, ttlMs: SYSTEM_TTL_MS }
}

/** RFC 2782: the root as target says that there is no such service. A label of DNS may hold any byte, a target of ours may not. */
function isUsable({ name, port }: SrvRecord): boolean {
  return isHostName(name) && port > 0
}

function targetOf({ name }: SrvRecord): string {
  return name.toLowerCase().replace(/\.$/, '')
}

/** The code of an error of node:dns, or its message where it has none. */
export function codeOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  return code ?? message ?? String(error)
}

function failure(code: string, what: string): Error {
  return Object.assign(new Error(`${code} ${what}`), { code })
}
