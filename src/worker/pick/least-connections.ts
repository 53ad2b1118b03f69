import { LeastCost } from './least-cost.ts'
import type { Policy, PolicyOptions } from './picker.ts'
import type { ServerGroup } from './server-group.ts'

/** The server with the fewest exchanges in flight for its weight, counted over all workers. */
export function leastConnections(group: ServerGroup, { start }: PolicyOptions): Policy {
  return new LeastCost(group, start, (inFlight, weight) => inFlight / weight)
}
