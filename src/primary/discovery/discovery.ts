import type { Config, DiscoverConfig, ServerConfig, UpstreamConfig } from '../../shared/config/model.ts'
import type { ResolvedAddress } from '../../shared/ipc/protocol.ts'
import type { AddressAnswer, Answer } from './answer.ts'
import { type Clock, machineClock } from './clock.ts'
import { discoveredServers, withoutDuplicates } from './discovered-servers.ts'
import { isNamed, keyOf, type NameUse, namesOf } from './names-of-config.ts'
import { DnsResolver, type Resolve } from './resolver.ts'
import { Watcher } from './watcher.ts'

export interface DiscoveryOptions {
  config: Config
  /**
   * The discovered servers of an upstream, all of them, sorted by name: they come beside those that its config lists. Called when one
   * came, went, or changed its weight or tier.
   */
  onServers(upstream: string, servers: ServerConfig[]): void
  /**
   * Where a server is, by `upstream/server`: for every server, listed or discovered, once that is known, and whenever it changes. Of a
   * new discovered server `onServers` tells first.
   */
  onAddresses(server: string, addresses: ResolvedAddress[]): void
  log(line: string): void
  resolve?: Resolve
  clock?: Clock
  /** In [0, 1). */
  random?: () => number
}

/** How long a start or a reload waits for first answers. */
const PATIENCE_MS = 2_000

/**
 * Follows every name of a config. A server whose address is a name is one server with the addresses behind that name; each record
 * behind a `discover` entry is a server of its own. A name that does not resolve has no addresses and is asked again, one that stops
 * to resolve keeps what it had.
 */
export class Discovery {
  readonly #options: DiscoveryOptions
  readonly #resolve: Resolve
  readonly #clock: Clock
  readonly #watchers = new Map<string, Watcher>()
  readonly #discovered = new Map<string, ServerConfig[]>()
  readonly #addresses = new Map<string, ResolvedAddress[]>()
  #config: Config
  #names = new Map<string, NameUse>()
  /** Updates so far: one that was overtaken while it waited is not applied. */
  #turns = 0

  /** Throws an Error when WEIR_DNS_SERVERS is set and names no IP addresses. */
  constructor(options: DiscoveryOptions) {
    this.#options = options
    this.#config = options.config
    this.#resolve = options.resolve ?? new DnsResolver()
    this.#clock = options.clock ?? machineClock
  }

  /** Begins, and tells all that is known when every name had its first answer, good or bad, but after 2 s at most; then it settles. */
  start(): Promise<void> {
    return this.update(this.#config)
  }

  /**
   * Another config comes into force, once the names that are new in it had their first answer or 2 s have passed: a server must not
   * vanish because its successor's name is still being looked up. Names that it still has keep their answers. Settles when that is
   * done, or when a later update or `stop` has overtaken it.
   */
  async update(config: Config): Promise<void> {
    if (await this.lookUp(config)) this.adopt(config)
  }

  /** The first half of `update`: nothing comes into force. False when a later one, or `stop`, has overtaken it. */
  async lookUp(config: Config): Promise<boolean> {
    this.#turns++
    const turn = this.#turns
    const names = namesOf(config)
    for (const [key, use] of names) if (!this.#watchers.has(key)) this.#follow(key, use)
    await this.#patiently(Promise.all([...names.keys()].map((key) => this.#watchers.get(key)?.first)))
    return turn === this.#turns
  }

  /** The second half. Names that it does not have are followed no longer: of a config that was looked up in vain, too. */
  adopt(config: Config): void {
    this.#apply(config, namesOf(config))
  }

  /** What `wholeConfig` and `addresses` would say if this config were in force, as far as its names are looked up. */
  proposed(config: Config): { config: Config; addresses: Record<string, ResolvedAddress[]> } {
    const addresses: Record<string, ResolvedAddress[]> = {}
    const upstreams = config.upstreams.map((upstream) => {
      const { servers, places } = this.#found(upstream)
      for (const server of upstream.servers) addresses[`${upstream.name}/${server.name}`] = this.#placesOfListed(server)
      for (const [name, at] of places) addresses[`${upstream.name}/${name}`] = at
      return servers.length === 0 ? upstream : { ...upstream, servers: [...upstream.servers, ...servers] }
    })
    return { config: { ...config, upstreams }, addresses }
  }

  /** Nothing is asked or called any more. */
  stop(): void {
    this.#turns++
    for (const watcher of this.#watchers.values()) watcher.stop()
    this.#watchers.clear()
    this.#resolve.stop()
  }

  /** The discovered servers of an upstream, as `onServers` told last. */
  servers(upstream: string): ServerConfig[] {
    return this.#discovered.get(upstream) ?? []
  }

  /** Where every server is, listed or discovered, by `upstream/server`; an empty list for those of which that is not known. */
  addresses(): Record<string, ResolvedAddress[]> {
    const known = this.#config.upstreams.flatMap((upstream) =>
      [...upstream.servers, ...this.servers(upstream.name)].map((server) => `${upstream.name}/${server.name}`),
    )
    return Object.fromEntries(known.map((id) => [id, this.#addresses.get(id) ?? []]))
  }

  /** The config in force, without discovered servers. */
  get ownConfig(): Config {
    return this.#config
  }

  /** The config in force, with discovered servers among the listed ones. */
  wholeConfig(): Config {
    const upstreams = this.#config.upstreams.map((upstream) => {
      const found = this.servers(upstream.name)
      return found.length === 0 ? upstream : { ...upstream, servers: [...upstream.servers, ...found] }
    })
    return { ...this.#config, upstreams }
  }

  #follow(key: string, { kind, name }: NameUse): void {
    const { random = Math.random, log } = this.#options
    const changed = () => this.#changed(key)
    const watcher = new Watcher({ kind, name, resolve: this.#resolve, clock: this.#clock, random, changed, log })
    this.#watchers.set(key, watcher)
    watcher.start()
  }

  #apply(config: Config, names: Map<string, NameUse>): void {
    const before = listedAddresses(this.#config)
    this.#config = config
    this.#names = names
    this.#forget(before)
    for (const upstream of config.upstreams) {
      for (const server of upstream.servers) this.#locateListed(`${upstream.name}/${server.name}`, server)
      this.#discover(upstream)
    }
  }

  /** What the config does not have any more, and where servers were whose own row has another address now. */
  #forget(before: Map<string, string>): void {
    for (const [key, watcher] of this.#watchers) {
      if (this.#names.has(key)) continue
      watcher.stop()
      this.#watchers.delete(key)
    }
    const upstreams = new Set(this.#config.upstreams.map((upstream) => upstream.name))
    for (const name of this.#discovered.keys()) if (!upstreams.has(name)) this.#discovered.delete(name)
    const ids = new Set(Object.keys(this.addresses()))
    const listed = listedAddresses(this.#config)
    for (const id of this.#addresses.keys()) if (!ids.has(id) || before.get(id) !== listed.get(id)) this.#addresses.delete(id)
  }

  #changed(key: string): void {
    const use = this.#names.get(key)
    for (const { id, server } of use?.servers ?? []) this.#locateListed(id, server)
    for (const upstream of this.#config.upstreams) if (use?.upstreams.has(upstream.name)) this.#discover(upstream)
  }

  /** Works out the discovered servers of an upstream from the answers there are, and tells what changed. */
  #discover(upstream: UpstreamConfig): void {
    const { servers, places } = this.#found(upstream)
    this.#tellServers(upstream.name, servers)
    for (const [name, at] of places) this.#tellAddresses(`${upstream.name}/${name}`, at)
  }

  #found(upstream: UpstreamConfig): { servers: ServerConfig[]; places: Map<string, ResolvedAddress[]> } {
    const listed = new Set(upstream.servers.map((server) => server.name))
    const found = upstream.discover.flatMap((entry) => {
      const answer = this.#answerOf(entry)
      return answer ? discoveredServers(entry, answer).map((server) => ({ server, at: placesOf(server, answer) })) : []
    })
    // A listed server of the same name stays what its own row says.
    const servers = withoutDuplicates(found.map(({ server }) => server)).filter((server) => !listed.has(server.name))
    const wanted = new Set(servers.map((server) => server.name))
    const places = new Map<string, ResolvedAddress[]>()
    for (const { server, at } of found) if (wanted.has(server.name) && !places.get(server.name)?.length) places.set(server.name, at)
    return { servers, places }
  }

  #locateListed(id: string, server: ServerConfig): void {
    this.#tellAddresses(id, this.#placesOfListed(server))
  }

  #placesOfListed(server: ServerConfig): ResolvedAddress[] {
    return placesOf(server, isNamed(server.address) ? this.#answerOf({ kind: 'dns', name: server.address.host }) : null)
  }

  #answerOf(name: Pick<DiscoverConfig, 'kind' | 'name'>): Answer | null {
    return this.#watchers.get(keyOf(name))?.answer ?? null
  }

  #tellServers(upstream: string, servers: ServerConfig[]): void {
    const before = this.servers(upstream)
    if (JSON.stringify(before) === JSON.stringify(servers)) return
    this.#discovered.set(upstream, servers)
    const names = new Set(servers.map((server) => server.name))
    const gone = before.filter((server) => !names.has(server.name))
    for (const { name } of gone) this.#addresses.delete(`${upstream}/${name}`)
    const fresh = servers.length - before.length + gone.length
    const count = servers.length === 1 ? '1 server' : `${servers.length} servers`
    this.#options.log(`${upstream}: ${count} discovered, ${fresh} new, ${gone.length} gone`)
    this.#options.onServers(upstream, servers)
  }

  #tellAddresses(id: string, addresses: ResolvedAddress[]): void {
    const before = this.#addresses.get(id) ?? []
    if (addresses.length === 0 || textOf(before) === textOf(addresses)) return
    this.#addresses.set(id, addresses)
    if (before.length > 0) this.#options.log(`${id} is at ${addresses.map((one) => ('ip' in one ? one.ip : one.path)).join(', ')} now`)
    this.#options.onAddresses(id, addresses)
  }

  async #patiently(answers: Promise<unknown>): Promise<void> {
    let takeBack = () => {}
    const late = new Promise<void>((resolve) => {
      takeBack = this.#clock.after(PATIENCE_MS, resolve)
    })
    await Promise.race([answers, late])
    takeBack()
  }
}

/** The addresses that a config lists, as they are written, by `upstream/server`. */
function listedAddresses(config: Config): Map<string, string> {
  return new Map(config.upstreams.flatMap(({ name, servers }) => servers.map((server) => [`${name}/${server.name}`, server.address.text])))
}

/** Where a server is, as far as an answer says so; a literal address needs none. */
function placesOf({ name, address }: ServerConfig, answer: Answer | null): ResolvedAddress[] {
  if (address.kind === 'unix') return [{ path: address.path }]
  const { host, port } = address
  if (!isNamed(address)) return [{ ip: host, port }]
  const found: AddressAnswer | null | undefined =
    answer?.kind === 'srv' ? answer.services.find((one) => `${one.target}:${one.port}` === name)?.at : answer
  return (found?.addresses ?? []).map((ip) => ({ ip, port }))
}

/** The order in which a resolver lists addresses means nothing. */
function textOf(addresses: readonly ResolvedAddress[]): string {
  return addresses
    .map((one) => JSON.stringify(one))
    .sort()
    .join()
}
