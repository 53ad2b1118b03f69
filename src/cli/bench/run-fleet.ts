/** All policies on one fleet, in rounds. */
import { type MachineTime, machineTime, stolenSince } from './cpu.ts'
import { describeServer, type Fleet } from './fleet.ts'
import { measureRound, momentsOf } from './measure-round.ts'
import { winnerOf } from './report/winner.ts'
import type { FleetEvent, FleetResult, PolicyResult } from './result.ts'
import type { Settings } from './settings.ts'
import { type Stage, startStage } from './stage.ts'
import { turnOrder } from './turn-order.ts'

/** Where a fleet is. */
export interface FleetProgress {
  fleet: string
  /** From 1. */
  round: number
  policy: string
  /** Stretches of all that are done. */
  done: number
}

export interface FleetRun {
  settings: Settings
  signal: AbortSignal
  onProgress(progress: FleetProgress): void
}

const BUSY_LOAD = 0.8
const STOLEN = 0.01
/** Below is what a timer of the load generator is late by itself. */
const LATE_MS = 10

/**
 * Measures every policy once in each round, in an order that rotates: A B C, B C A, so that a slow minute of the machine hits all of them.
 * Interrupted, it answers what was measured until then. Rejects when a process does not start or goes away.
 */
export async function runFleet(fleet: Fleet, run: FleetRun): Promise<FleetResult> {
  const results = fleet.policies.map(({ id, name }): PolicyResult => ({ policy: name, isConfigured: id === fleet.configured, rounds: [] }))
  const before = machineTime()
  const heldUpMs: number[] = []
  const stage = await startStage(fleet, run.settings.workers)
  try {
    await measureAll(stage, { results, heldUpMs }, run)
  } catch (error) {
    if (!run.signal.aborted) throw error
  } finally {
    await stage.end()
  }
  return resultOf(fleet, results, run.settings.seconds, doubts(results, heldUpMs, before))
}

interface Results {
  /** In the order of the fleet's policies. */
  results: PolicyResult[]
  /** Of each round. */
  heldUpMs: number[]
}

async function measureAll(stage: Stage, { results, heldUpMs }: Results, { settings, signal, onProgress }: FleetRun): Promise<void> {
  const { fleet } = stage
  const turns = [...fleet.policies.entries()]
  let done = 0
  // Else the first policy of the first round would pay for code that was never run.
  for (const policy of fleet.policies.slice(0, 1))
    await measureRound(stage, { policy, round: -1, settings: { ...settings, seconds: 1 }, isRehearsal: true, signal })
  for (let round = 0; round < settings.rounds; round++) {
    for (const [index, policy] of turnOrder(turns, round)) {
      onProgress({ fleet: fleet.name, round: round + 1, policy: policy.name, done })
      const measured = await measureRound(stage, { policy, round, settings, isRehearsal: false, signal })
      results[index]?.rounds.push(measured.round)
      heldUpMs.push(measured.heldUpMs)
      done++
    }
  }
}

function resultOf(fleet: Fleet, policies: PolicyResult[], seconds: number, notes: readonly string[]): FleetResult {
  const { name, question, rate } = fleet
  const result: FleetResult = {
    name,
    question,
    servers: fleet.servers.map((server) => ({ name: server.name, weight: server.weight, description: describeServer(server) })),
    rate,
    connections: rate,
    policies,
    events: eventsOf(fleet, seconds),
    winner: null,
    notes: [...fleet.notes, ...notes],
  }
  return { ...result, winner: winnerOf(result) }
}

function eventsOf({ event }: Fleet, seconds: number): FleetEvent[] {
  if (event === null) return []
  return momentsOf(event, seconds).map((ms) => {
    const at = ms / 1_000
    return event.kind === 'kill'
      ? { at, text: `${event.server} killed` }
      : { at, seconds: event.ms / 1_000, text: `${event.server} stalls` }
  })
}

/** What makes the numbers doubtful. */
function doubts(policies: readonly PolicyResult[], heldUpMs: readonly number[], before: MachineTime): string[] {
  const stolen = stolenSince(before)
  const busy = policies.filter(({ rounds }) => rounds.some(({ loadCpu }) => loadCpu > BUSY_LOAD)).map(({ policy }) => policy)
  const late = heldUpMs.filter((ms) => ms > LATE_MS).length
  return [
    ...(late > 0
      ? [
          `In ${late} of ${heldUpMs.length} rounds other programs held the load generator up for more than ${LATE_MS} ms, which counts as latency.`,
        ]
      : []),
    ...(busy.length > 0
      ? [`The load generator had its core more than ${BUSY_LOAD * 100} % busy and may have been the limit: ${busy.join(', ')}.`]
      : []),
    ...(stolen > STOLEN ? [`The hypervisor took ${(stolen * 100).toFixed(1)} % of the CPU time.`] : []),
  ]
}
