import type { StatusData } from '../../../shared/control/data.ts'
import type { Latencies } from '../../statistics/statistics.ts'
import type { Operation } from '../operation.ts'
import { statusData } from '../status.ts'
import type { Verb } from '../verb.ts'

/** Statistics that are not there by then are left out: how it is must be told in any case. */
const PATIENCE_MS = 1_000

export const statusVerb: Verb<'status'> = {
  async run(operation) {
    const latencies = await latenciesOf(operation)
    const data = latencies === null ? statusData(operation) : withLatencies(statusData(operation), latencies)
    // Making it takes a while in a big fleet, and so does writing it out: health checks have their turn in between.
    await new Promise(setImmediate)
    return data
  },
}

async function latenciesOf({ statistics }: Operation): Promise<Latencies | null> {
  if (statistics === undefined) return null
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), PATIENCE_MS)
  })
  const found = await Promise.race([statistics.latencies().catch(() => null), late])
  clearTimeout(timer)
  return found
}

function withLatencies(data: StatusData, { all, servers }: Latencies): StatusData {
  const upstreams = data.upstreams.map((upstream) => {
    return { ...upstream, servers: upstream.servers.map((server) => ({ ...server, lastMinute: servers.get(server.id) ?? null })) }
  })
  return { ...data, upstreams, lastMinute: all }
}
