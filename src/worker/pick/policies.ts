import { leastConnections } from './least-connections.ts'
import type { PolicyFactory, PolicyName } from './picker.ts'
import { roundRobin } from './round-robin.ts'

/** Every value that `balance` may have. A name that the config knows and this table does not fails to compile. */
export const policies: Record<PolicyName, PolicyFactory> = {
  'least-connections': leastConnections,
  'round-robin': roundRobin,
}
