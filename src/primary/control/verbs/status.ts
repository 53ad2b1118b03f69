import type { Operation } from '../operation.ts'
import { type LastMinute, statusData } from '../status.ts'
import type { Verb } from '../verb.ts'

/** Statistics that are not there by then are left out: how it is must be told in any case. */
const PATIENCE_MS = 1_000

export const statusVerb: Verb<'status'> = {
  async run(operation) {
    const data = await statusData(operation, await latenciesOf(operation))
    // Writing it out takes a turn of its own.
    await new Promise(setImmediate)
    return data
  },
}

async function latenciesOf({ statistics }: Operation): Promise<LastMinute | null> {
  if (statistics === undefined) return null
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), PATIENCE_MS)
  })
  const found = await Promise.race([statistics.latencies().catch(() => null), late])
  clearTimeout(timer)
  return found
}
