import { abi } from '../../../native/abi.ts'
import type { ServerFigures } from '../../../shared/control/data.ts'
import { upstreamOf } from '../find-server.ts'
import { countsByBound } from '../latency-buckets.ts'
import { statusOf } from '../status.ts'
import type { Verb } from '../verb.ts'

export const figuresVerb: Verb<'figures'> = {
  run(operation, request) {
    const upstream = upstreamOf(operation, request.upstream)
    const ids = upstream.servers.map(({ name }) => `${upstream.name}/${name}`)
    const slots = new Map(ids.flatMap((id) => operation.fleet.table.get(id) ?? []).map(({ record }) => [record.server, record.slot]))
    const row = slots.get(ids[0] ?? '')
    return {
      longestHoldMs: row === undefined ? 0 : Math.round(operation.board.longestHold(row, request.restartHold === true)),
      servers: statusOf(operation, ids).map(({ id, exchanges, successes, failures }): ServerFigures => {
        const slot = slots.get(id)
        const firstByteCounts = slot === undefined ? {} : countsByBound(operation.board.histogram('server', slot, abi.phase.firstByte))
        return { id, exchanges, successes, failures, firstByteCounts }
      }),
    }
  },
}
