import type { ServerFigures } from '../../../shared/control/data.ts'
import { upstreamOf } from '../find-server.ts'
import { countsByBound } from '../latency-buckets.ts'
import { statusOf } from '../status.ts'
import type { Verb } from '../verb.ts'

export const figuresVerb: Verb<'figures'> = {
  async run(operation, request) {
    const upstream = upstreamOf(operation, request.upstream)
    const ids = upstream.servers.map(({ name }) => `${upstream.name}/${name}`)
    const slots = new Map(ids.flatMap((id) => operation.fleet.table.get(id) ?? []).map(({ record }) => [record.server, record.slot]))
    const counts = await operation.latencies([...slots.values()])
    const row = slots.get(ids[0] ?? '')
    return {
      longestHoldMs: row === undefined ? 0 : Math.round(operation.board.longestHold(row, request.restartHold === true)),
      servers: statusOf(operation, ids).map(({ id, exchanges, successes, failures }): ServerFigures => {
        const own = counts.get(slots.get(id) ?? -1)
        return { id, exchanges, successes, failures, firstByteCounts: own === undefined ? {} : countsByBound(own) }
      }),
    }
  },
}
