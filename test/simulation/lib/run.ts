import assert from 'node:assert/strict'
import type { ServerDefinition } from '../../../src/primary/server-entry.ts'
import { definitionOf, strike } from './faults.ts'
import { type Counted, Violation, World } from './world.ts'

const STORM_MS = 6_000
/** Longest delay of a message, a heartbeat, patience with a worker that is behind, the way there. */
const CONVERGENCE_MS = 2_500
const QUIET_MS = 3_000
/** The slowest request, and then a look of the primary. */
const LAST_REQUEST_MS = 2_500

export interface Outcome {
  /** What was wrong; null when nothing was. */
  violation: string | null
  events: string[]
  counts: Record<Counted, number>
  /** Of the table at the end: the same seed gives the same. */
  digest: number
  version: number
}

/** One story: a storm, then calm channels, then a day like any other, then the end of all work. */
export function runSeed(seed: number, keepsEvents = false): Outcome {
  const world = new World(seed, keepsEvents)
  const violation = violationOf(() => {
    weather(world, STORM_MS)
    world.becomeCalm()
    world.clock.pass(CONVERGENCE_MS)
    checkConvergence(world)
    world.settle()
    const wholes = world.counts.wholes
    weather(world, QUIET_MS)
    if (world.counts.wholes > wholes) world.fail('a whole table was sent though no message was lost')
    world.hasClients = false
    world.clock.pass(LAST_REQUEST_MS)
    checkConvergence(world)
    checkEmpty(world)
  })
  const { table } = world.primary
  return { violation, events: world.events, counts: world.counts, digest: table.digest(), version: table.version }
}

function violationOf(story: () => void): string | null {
  try {
    story()
    return null
  } catch (error) {
    if (error instanceof Violation) return error.message
    throw error
  }
}

/** Lets something happen every now and then. */
function weather(world: World, ms: number): void {
  const untilMs = world.clock.now + ms
  while (world.clock.now < untilMs) {
    world.clock.pass(world.chance.between(1, 200))
    strike(world)
  }
}

/** Records are compared themselves: a digest could be wrong on both sides. */
function checkConvergence(world: World): void {
  const { table } = world.primary
  const truth = new Map(table.servers().map((record) => [record.server, record]))
  const breakers = new Map(table.whole().breakers.map((state) => [state.upstream, state]))
  for (const { id, receiver } of world.workers) {
    const copy = new Map([...receiver.servers()].map((record) => [record.server, record]))
    const same = isSame(copy, truth) && isSame(new Map([...receiver.breakers()].map((state) => [state.upstream, state])), breakers)
    if (!same) world.fail(`worker ${id} has not converged: it has ${[...copy.keys()]}, the primary ${[...truth.keys()]}`)
    if (receiver.heartbeat().digest !== table.digest()) world.fail(`the digests of worker ${id} and the primary differ for equal tables`)
  }
  if (world.primary.hub.confirmedVersion !== table.version) world.fail('the primary does not know that all workers have converged')
}

function isSame(one: unknown, other: unknown): boolean {
  try {
    assert.deepStrictEqual(one, other)
    return true
  } catch {
    return false
  }
}

/** The servers of now, and a new one for each row that they leave. */
function fill(world: World): ServerDefinition[] {
  const missing = world.board.rows - world.definitions.length
  return [...world.definitions, ...Array.from({ length: missing }, (_, i) => definitionOf('a', `fresh${i}`, world.isChecked('a')))]
}

function checkEmpty(world: World): void {
  if (world.board.total() !== 0) world.fail(`${world.board.total()} requests are in flight though all have ended`)
  const kept = world.primary.table.changesSince(0).removed
  if (kept.length > 0) world.fail(`rows of removed servers were never freed: ${kept.map(({ server }) => server)}`)
  if (!world.primary.define(fill(world))) world.fail('rows are missing though nobody has them')
}
