import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Config, ServerAddress } from '../shared/config/model.ts'
import type { ResolvedAddress } from '../shared/ipc/protocol.ts'

/** Where every server of the config is, by `upstream/server`. A name that does not resolve has no address yet: its server is tried last. */
export async function resolveServers(config: Config): Promise<Record<string, ResolvedAddress[]>> {
  const found: Record<string, ResolvedAddress[]> = {}
  const jobs = config.upstreams.flatMap((upstream) =>
    upstream.servers.map(async (server) => {
      found[`${upstream.name}/${server.name}`] = await resolve(server.address)
    }),
  )
  await Promise.all(jobs)
  return found
}

const AGAIN_MS = 30_000
const UNRESOLVED_MS = 2_000

/**
 * Follows the names of servers: asks again every 30 s, every 2 s while one has no address, and calls `moved` for each server whose
 * addresses changed. A name that stops resolving keeps its last good addresses. Does nothing when the config has no names.
 */
export function followNames(
  config: Config,
  known: Record<string, ResolvedAddress[]>,
  moved: (server: string, to: ResolvedAddress[]) => void,
): void {
  const named = config.upstreams
    .flatMap((upstream) => upstream.servers.map((server) => ({ id: `${upstream.name}/${server.name}`, address: server.address })))
    .filter(({ address }) => address.kind === 'tcp' && isIP(address.host) === 0)
  if (named.length === 0) return
  const look = async () => {
    for (const { id, address } of named) {
      const now = await resolve(address)
      if (now.length === 0 || sameAddresses(now, known[id] ?? [])) continue
      known[id] = now
      moved(id, now)
    }
    schedule()
  }
  const schedule = () => setTimeout(look, named.some(({ id }) => known[id]?.length === 0) ? UNRESOLVED_MS : AGAIN_MS).unref()
  schedule()
}

/** The order in which a resolver lists addresses means nothing. */
function sameAddresses(a: readonly ResolvedAddress[], b: readonly ResolvedAddress[]): boolean {
  const text = (list: readonly ResolvedAddress[]) =>
    list
      .map((one) => JSON.stringify(one))
      .sort()
      .join()
  return text(a) === text(b)
}

async function resolve(address: ServerAddress): Promise<ResolvedAddress[]> {
  if (address.kind === 'unix') return [{ path: address.path }]
  if (isIP(address.host) !== 0) return [{ ip: address.host, port: address.port }]
  try {
    const answers = await lookup(address.host, { all: true, order: 'ipv4first' })
    return answers.map((answer) => ({ ip: answer.address, port: address.port }))
  } catch {
    return []
  }
}
