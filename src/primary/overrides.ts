import { formatShare } from '../shared/base/units.ts'
import type { Config, ServerConfig } from '../shared/config/model.ts'
import type { Override } from '../shared/control/data.ts'
import type { ServerState } from '../shared/ipc/server-state.ts'
import type { ServerTable } from './server-table.ts'

interface AdminWord {
  admin: Exclude<ServerState['admin'], 'ready'>
  isStrict: boolean
  since: string
}

interface WeightWord {
  share: number
  /** What the config said of its weight at the time. */
  configured: number | null
  since: string
}

interface AddedServer {
  upstream: string
  server: ServerConfig
  since: string
}

/** Overrides as they travel to a successor. Plain data. */
export interface OverridesState {
  admins: [string, AdminWord][]
  weights: [string, WeightWord][]
  added: [string, AddedServer][]
  removed: [string, { since: string }][]
}

/**
 * What operators said beside the config, by `upstream/server`. It outlives reloads: what a config says of the same thing comes into
 * force only where it names what was added, or no longer names what was removed.
 */
export class Overrides {
  readonly #admins = new Map<string, AdminWord>()
  readonly #weights = new Map<string, WeightWord>()
  readonly #added = new Map<string, AddedServer>()
  readonly #removed = new Map<string, { since: string }>()
  readonly #now: () => Date

  constructor(now: () => Date = () => new Date()) {
    this.#now = now
  }

  setAdmin(server: string, admin: ServerState['admin'], isStrict: boolean): void {
    if (admin === 'ready') this.#admins.delete(server)
    else this.#admins.set(server, { admin, isStrict, since: this.#since() })
  }

  /** `configured`: the weight that the config gives it. A share of 1 is what the config says. */
  setWeight(server: string, share: number, configured: number | null): void {
    if (share === 1) this.#weights.delete(server)
    else this.#weights.set(server, { share, configured, since: this.#since() })
  }

  add(upstream: string, server: ServerConfig): void {
    const id = `${upstream}/${server.name}`
    // One that was removed, and is put back as it was, differs from the config no longer.
    this.#removed.delete(id)
    this.#added.set(id, { upstream, server, since: this.#since() })
  }

  remove(server: string): void {
    this.#admins.delete(server)
    this.#weights.delete(server)
    if (!this.#added.delete(server)) this.#removed.set(server, { since: this.#since() })
  }

  /** Its entry, where it was added. */
  addedServer(server: string): { added?: ServerConfig } {
    const entry = this.#added.get(server)
    return entry === undefined ? {} : { added: entry.server }
  }

  /** All but these are in the config now. Answers whose weights that concerns. */
  forget(kept: readonly Override[]): string[] {
    const stays = (server: string, what: Override['what']) => kept.some((one) => one.server === server && one.what === what)
    const weights = [...this.#weights.keys()].filter((server) => !stays(server, 'weight'))
    for (const server of weights) this.#weights.delete(server)
    for (const server of this.#added.keys()) if (!stays(server, 'added')) this.#added.delete(server)
    for (const server of this.#removed.keys()) if (!stays(server, 'removed')) this.#removed.delete(server)
    return weights
  }

  isAdded(server: string): boolean {
    return this.#added.has(server)
  }

  /** The config with added servers, and without removed ones. */
  applied(config: Config): Config {
    if (this.#added.size + this.#removed.size === 0) return config
    const upstreams = config.upstreams.map((upstream) => {
      const listed = upstream.servers.filter(({ name }) => !this.#removed.has(`${upstream.name}/${name}`))
      const names = new Set(listed.map(({ name }) => name))
      const added = [...this.#added.values()].filter((one) => one.upstream === upstream.name && !names.has(one.server.name))
      return { ...upstream, servers: [...listed, ...added.map(({ server }) => server)] }
    })
    return { ...config, upstreams }
  }

  /** A config came into force: what it says itself by now is no override any more. Answers what that was, in words. */
  settle(config: Config): string[] {
    const servers = serversOf(config)
    const upstreams = new Set(config.upstreams.map(({ name }) => name))
    const words: string[] = []
    for (const [id, { upstream }] of this.#added) {
      if (!servers.has(id) && upstreams.has(upstream)) continue
      this.#added.delete(id)
      words.push(
        servers.has(id) ? `${id} was added by a command and is in the config now` : `${id} was added by a command; its upstream is gone`,
      )
    }
    for (const id of this.#removed.keys()) if (!servers.has(id)) this.#removed.delete(id)
    return words
  }

  /** Says it again to a table in which servers are new. */
  obeyedBy(table: ServerTable, nowMs: number): void {
    for (const [id, { admin, isStrict }] of this.#admins) table.setAdmin(id, admin, nowMs, 'by command', isStrict)
    for (const [id, { share }] of this.#weights) table.setWeightShare(id, share, nowMs, 'by command')
  }

  /** All of them. `config`: as the file says it. */
  list(config: Config): Override[] {
    const servers = serversOf(config)
    return [
      ...[...this.#admins].map(([server, { admin, since }]) => override(server, 'admin', admin, since, null)),
      ...[...this.#weights].map(([server, word]) =>
        override(server, 'weight', formatShare(word.share), word.since, this.#conflictOf(servers.get(server), word)),
      ),
      ...[...this.#added].map(([id, { server, since }]) => {
        const listed = servers.get(id)
        return override(
          id,
          'added',
          server.address.text,
          since,
          listed === undefined ? null : `the config has it now, at ${listed.address.text}`,
        )
      }),
      ...[...this.#removed].map(([id, { since }]) => override(id, 'removed', servers.get(id)?.address.text ?? '', since, null)),
    ]
  }

  state(): OverridesState {
    return { admins: [...this.#admins], weights: [...this.#weights], added: [...this.#added], removed: [...this.#removed] }
  }

  /** As they were. */
  reset({ admins, weights, added, removed }: OverridesState): void {
    for (const words of [this.#admins, this.#weights, this.#added, this.#removed]) words.clear()
    for (const [id, word] of admins) this.#admins.set(id, word)
    for (const [id, word] of weights) this.#weights.set(id, word)
    for (const [id, word] of added) this.#added.set(id, word)
    for (const [id, word] of removed) this.#removed.set(id, word)
  }

  #conflictOf(server: ServerConfig | undefined, { configured }: WeightWord): string | null {
    if (server === undefined || configured === null || server.weight === configured) return null
    return `the config says weight ${server.weight} now, ${configured} when it was said`
  }

  #since(): string {
    return this.#now().toISOString()
  }
}

function override(server: string, what: Override['what'], value: string, since: string, conflict: string | null): Override {
  return { server, what, value, since, conflict }
}

function serversOf({ upstreams }: Config): Map<string, ServerConfig> {
  return new Map(upstreams.flatMap(({ name, servers }) => servers.map((server) => [`${name}/${server.name}`, server])))
}
