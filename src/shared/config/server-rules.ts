import type { ConfigDocument } from './document.ts'
import { entry, isMap, items, keysOf, numberOf, type Raw } from './raw.ts'
import { serverSchema } from './schema/server.ts'
import { isWeightShare } from './weight.ts'

const placeKeys = ['address', 'dns', 'srv'] as const

/** The rules of an upstream's servers: each has one place and a name of its own, and together they can take traffic. */
export function checkServers(upstream: Raw, document: ConfigDocument): void {
  const list = entry(upstream, 'servers')
  const servers = items(list)
  for (const server of servers) checkServer(server, document)
  checkNames(servers, document)
  checkPercentages(servers, document)
  checkTraffic(list.path, servers, document)
}

function checkServer(server: Raw, document: ConfigDocument): void {
  const keys = keysOf(server)
  const places = placeKeys.filter((key) => keys.includes(key))
  // A misspelled key is reported as unknown already.
  const isKnown = keys.every((key) => Object.hasOwn(serverSchema.properties, key))
  if (isMap(server) && isKnown && places.length === 0) document.valueProblem(server.path, 'a server needs one of address, dns, srv')
  for (const extra of places.slice(1)) document.keyProblem(entry(server, extra).path, `not together with ${places[0]}`)
  if (keys.includes('tier') && keys.includes('backup'))
    document.keyProblem(entry(server, 'backup').path, 'not together with tier', 'a backup is a server of tier 1')
  if (places[0] === 'address' || places.length === 0) return
  if (keys.includes('name'))
    document.keyProblem(entry(server, 'name').path, 'has no effect, as discovered servers are named by their addresses', 'remove it')
  if (places[0] === 'srv' && keys.includes('weight'))
    document.keyProblem(entry(server, 'weight').path, 'has no effect, as SRV records have weights of their own', 'remove it')
}

function checkNames(servers: Raw[], document: ConfigDocument): void {
  const names = new Map<string, Raw>()
  for (const server of servers) {
    const named = [...['name', ...placeKeys].map((key) => entry(server, key)), server].find(({ value }) => typeof value === 'string')
    if (!named) continue
    const earlier = names.get(String(named.value))
    const isListed = placeKeys.slice(1).every((key) => entry(server, key).value === undefined)
    if (!earlier) names.set(String(named.value), server)
    else
      document.valueProblem(
        named.path,
        `a second server named ${JSON.stringify(named.value)}; the first is ${earlier.path}`,
        isListed ? 'give it a name of its own' : 'remove it',
      )
  }
}

/** 50% of a weight says nothing beside another server that weighs 3. */
function checkPercentages(servers: Raw[], document: ConfigDocument): void {
  const weighed = servers.filter((server) => entry(server, 'srv').value === undefined)
  const first = weighed.find((server) => isWeightShare(entry(server, 'weight').value))
  if (!first) return
  for (const server of weighed) {
    const weight = entry(server, 'weight')
    if (isWeightShare(weight.value)) continue
    const at = weight.value === undefined ? server : weight
    document.valueProblem(at.path, `needs a weight in percent, as ${first.path} has one`, 'write all weights of an upstream alike')
  }
}

/** Traffic begins in tier 0: without a server there that has weight, the upstream would serve through its reserve only. */
function checkTraffic(path: string, servers: Raw[], document: ConfigDocument): void {
  if (servers.length === 0) return
  const first = servers.filter((server) => tierOf(server) === 0)
  if (first.length === 0)
    document.keyProblem(path, 'no server is in tier 0', 'all are backups: remove backup or tier from those that come first')
  else if (first.every((server) => weightOf(server) === 0))
    document.keyProblem(
      path,
      first.length < servers.length ? 'every server of tier 0 has weight 0' : 'every server has weight 0, so none takes traffic',
      'give one a weight of at least 1',
    )
}

function tierOf(server: Raw): number {
  const backup = entry(server, 'backup').value
  return numberOf(entry(server, 'tier')) ?? (backup === true || backup === 'true' ? 1 : 0)
}

function weightOf(server: Raw): number {
  const weight = entry(server, 'weight')
  return isWeightShare(weight.value) ? Number.parseFloat(String(weight.value)) : (numberOf(weight) ?? 1)
}
