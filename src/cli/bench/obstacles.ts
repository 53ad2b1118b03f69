/** What a machine is too small for, said before anything starts. Pure. */
import type { Fleet } from './fleet.ts'

/** Idle connections to a server that a worker keeps. */
const POOLED = 64
const SPARE = 256

/** Descriptors that the largest process of a fleet may need: a worker with all clients, a request of each, and its idle connections. */
export function descriptorsFor({ rate, servers }: Fleet): number {
  return 2 * rate + POOLED * servers.length + SPARE
}

/** A sentence, or null when everything fits. */
export function descriptorObstacle(fleets: readonly Fleet[], limit: number): string | null {
  const needed = Math.max(0, ...fleets.map(descriptorsFor))
  const fleet = fleets.find((one) => descriptorsFor(one) === needed)
  if (fleet === undefined || needed <= limit) return null
  return `too few file descriptors (${limit}): fleet "${fleet.name}" needs ${needed}; raise the limit (ulimit -n ${needed}) or lower the rate (--rate)`
}

/** What is to be said with every number of this machine. */
export function machineNotes(cores: number): string[] {
  if (cores > 1) return []
  return [
    'This machine has one core, which balancer, servers and clients share: latencies hold more waiting for it than they would elsewhere.',
  ]
}
