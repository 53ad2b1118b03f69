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
