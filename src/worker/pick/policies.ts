import { first } from './first.ts'
import { consistentHash, sourceHash } from './hash-policy.ts'
import { leastConnections } from './least-connections.ts'
import { leastTime } from './least-time.ts'
import type { PolicyFactory, PolicyName } from './picker.ts'
import { powerOfTwo } from './power-of-two.ts'
import { random } from './random.ts'
import { roundRobin } from './round-robin.ts'

/** Every value that `balance` may have. A name that the config knows and this table does not fails to compile. */
export const policies: Record<PolicyName, PolicyFactory> = {
  'consistent-hash': consistentHash,
  first,
  'least-connections': leastConnections,
  'least-time': leastTime,
  'power-of-two': powerOfTwo,
  random,
  'round-robin': roundRobin,
  'source-hash': sourceHash,
}
