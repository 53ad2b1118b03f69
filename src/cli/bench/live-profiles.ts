/** What a running balancer knows about its servers: how long they take, and how much they get. */

import type { ControlClient } from '../control-client.ts'
import { connectFirst } from '../control-command.ts'
import { CommandError, NotReachable } from '../control-errors.ts'
import { socketPaths } from '../control-socket.ts'
import type { Terminal } from '../terminal.ts'
import type { MeasuredPoint } from './service-time.ts'

export interface LiveUpstreamProfile {
  /** Of the last five minutes, or since the start where those were empty. */
  requestsPerSecond: number
  /** Times to the first byte, by server; none for a server that has answered nothing. */
  servers: ReadonlyMap<string, readonly MeasuredPoint[]>
}

const ANSWER_MS = 10_000
/** Below, a histogram says little about its tail. */
export const FEWEST_RESPONSES = 100

/**
 * By upstream; null when no balancer answers. One that was named with `--socket` has to.
 * @throws NotReachable about that one
 */
export async function liveProfiles(
  names: readonly string[],
  { socket, config, terminal }: { socket: string | undefined; config: string; terminal: Terminal },
): Promise<Map<string, LiveUpstreamProfile> | null> {
  let client: ControlClient | undefined
  try {
    client = await connectFirst(await socketPaths({ socket, config }, terminal))
    return await profilesFrom(client, names)
  } catch (error) {
    if (socket === undefined && (error instanceof NotReachable || error instanceof CommandError)) return null
    throw error
  } finally {
    client?.close()
  }
}

async function profilesFrom(client: ControlClient, names: readonly string[]): Promise<Map<string, LiveUpstreamProfile>> {
  const ask = async (window: '5m' | 'total') => (await client.ask('live', { window }, { withinMs: ANSWER_MS })).data.upstreams
  const [lately, ever] = [await ask('5m'), await ask('total')]
  const profiles = new Map<string, LiveUpstreamProfile>()
  for (const name of names.filter((one) => ever.some((upstream) => upstream.name === one))) {
    const rateIn = (upstreams: typeof ever) => upstreams.find((one) => one.name === name)?.rates.requestsPerSecond ?? 0
    const { servers } = (await client.ask('figures', { upstream: name }, { withinMs: ANSWER_MS })).data
    profiles.set(name, {
      requestsPerSecond: rateIn(lately) || rateIn(ever),
      servers: new Map(servers.map(({ id, firstByteCounts }) => [id.slice(name.length + 1), pointsOf(firstByteCounts)])),
    })
  }
  return profiles
}

/** Counts by the upper bound of their bucket in microseconds; none where they are too few. */
export function pointsOf(counts: Readonly<Record<string, number>>): MeasuredPoint[] {
  const points = Object.entries(counts).map(([us, count]) => ({ atMostMs: Number(us) / 1_000, count }))
  const total = points.reduce((sum, { count }) => sum + count, 0)
  return total < FEWEST_RESPONSES ? [] : points.toSorted((a, b) => a.atMostMs - b.atMostMs)
}
