import { parseServerAddress } from '../../../shared/config/address.ts'
import { buildServer } from '../../../shared/config/build-upstream.ts'
import type { ServerConfig, UpstreamConfig } from '../../../shared/config/model.ts'
import { parseServerName } from '../../../shared/config/names.ts'
import type { Parsed } from '../../../shared/config/parsed.ts'
import { ControlError, type RequestOf } from '../../../shared/control/requests.ts'
import { changeData } from '../change.ts'
import { upstreamOf } from '../find-server.ts'
import { during } from '../under-way.ts'
import type { Verb } from '../verb.ts'

export const addVerb: Verb<'add'> = {
  run(operation, request) {
    const upstream = upstreamOf(operation, request.upstream)
    const server = serverFrom(request)
    const id = `${upstream.name}/${server.name}`
    mustBeNew(upstream, server)
    if (operation.fleet.table.get(id) !== undefined) throw new ControlError('bad-request', `there is a server ${id} already`)
    return changeData(operation, request.dryRun === true, {
      ids: [id],
      isNeeded: true,
      what: () => `${id} is added at ${server.address.text}`,
      plan: `${id} would be added at ${server.address.text}`,
      act: () => during(operation, id, 'added', () => operation.addServer(upstream.name, server)),
    })
  },
}

/** As the config would make it of the same entry. Throws ControlError `bad-request`. */
function serverFrom({ address, name, weight = 1, maxConnections, backup = false }: RequestOf<'add'>): ServerConfig {
  const place = must('address', parseServerAddress(address))
  const called = name === undefined ? place.text : must('name', parseServerName(name))
  const limit = maxConnections === undefined ? {} : { maxConnections }
  return buildServer({ name: called, address: place, weight, backup, ...limit })
}

function must<T>(field: string, result: Parsed<T>): T {
  if (result.ok) return result.value
  throw new ControlError('bad-request', `${field}: ${result.message}${result.hint === null ? '' : `; ${result.hint}`}`)
}

/** Two of one name could not be told apart; two of one address are no fault, as in the config. */
function mustBeNew(upstream: UpstreamConfig, server: ServerConfig): void {
  const known = upstream.servers.find(({ name }) => name === server.name)
  if (known === undefined) return
  const help = server.name === server.address.text ? '' : '; give it another name'
  throw new ControlError('bad-request', `${upstream.name} has a server ${known.name} already, at ${known.address.text}${help}`)
}
