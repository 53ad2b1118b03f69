/** Whatever fails wherever: what a deploy may never do. A seed tells one story; SEED=n replays it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommandError, Interrupted, NotReachable } from '../../../src/cli/control-errors.ts'
import { capacityBeside } from '../../../src/cli/deploy/capacity.ts'
import type { DeployData } from '../../../src/cli/deploy/data.ts'
import { planDeploy } from '../../../src/cli/deploy/plan.ts'
import { rollOut } from '../../../src/cli/deploy/rollout.ts'
import { endings } from '../../../src/cli/deploy/server-life.ts'
import { type Chance, chanceFrom } from '../../soak/chance.ts'
import { type FakeFleet, type FakeServer, fakeFleet } from './lib/fake-fleet.ts'

const seeds = process.env['SEED'] === undefined ? Array.from({ length: 400 }, (_, i) => i + 1) : [Number(process.env['SEED'])]
const totals: Record<string, number> = {}

test(`never below the floor, never two batches at once, and every server ready or reported (${seeds.length} seeds)`, async () => {
  for (const seed of seeds) {
    await story(seed).catch((cause) => {
      throw new Error(`seed ${seed}: ${(cause as Error).message}`, { cause })
    })
  }
  if (seeds.length === 1) return
  // Stories without endings of every kind would prove little.
  for (const ending of endings) assert.ok((totals[ending] ?? 0) > 5, `${totals[ending]} ${ending}`)
})

async function story(seed: number): Promise<void> {
  const chance = chanceFrom(seed)
  const batch = chance.between(1, 3)
  const withRollback = chance.happens(0.5)
  const fleet = fakeFleet('abcdefgh'.slice(0, chance.between(2, 8)), {
    ...{ batch, floor: `${chance.between(0, 6) * 10}%`, checks: 1, 'health-timeout': '2s', soak: chance.happens(0.3) ? '0' : '2s' },
    ...{ 'rollback-cmd': withRollback ? 'undo {name}' : undefined, 'rollback-all': withRollback && chance.happens(0.5) },
  })
  for (const server of fleet.servers) {
    server.weight = chance.between(1, 3)
    server.isChecked = chance.happens(0.8)
    if (chance.happens(0.05)) server.admin = chance.happens(0.5) ? 'maint' : 'drain'
  }
  const before = new Map(fleet.servers.map(({ id, admin }) => [id, admin]))
  const interrupt = disturb(fleet, chance)
  const watch = watchOver(fleet, batch)
  let plan: ReturnType<typeof planDeploy>
  try {
    plan = planDeploy(fleet.upstream(), fleet.kit.options)
  } catch (error) {
    assert.ok(error instanceof CommandError && error.exit === 5)
    return
  }
  const report = await rollOut(plan, fleet.kit, interrupt)
  assert.deepEqual(watch.faults, [])
  checkEnd(fleet, report, before)
}

/** Commands, checks and questions fail by chance, and somebody presses Ctrl-C. */
function disturb(fleet: FakeFleet, chance: Chance) {
  const [first, second] = [new AbortController(), new AbortController()]
  const stopAt = chance.happens(0.3) ? chance.between(1, 80) : -1
  const againAt = chance.happens(0.5) ? stopAt + chance.between(1, 15) : -1
  const faulty = chance.happens(0.5) ? 0.01 : 0
  const harm = chance.happens(0.4) ? 0.15 : 0.02
  const lost: FakeServer[] = []
  let calls = 0
  fleet.onCall = ({ what }, when) => {
    calls++
    // Those that were lost come back some time, or do not.
    if (what === 'sleep' && chance.happens(0.1)) for (const server of lost.splice(0)) server.isWell = true
    if (calls === stopAt) first.abort(new Interrupted('interrupted'))
    if (calls === againAt) second.abort(new Interrupted('interrupted'))
    if (!chance.happens(faulty) || when === 'after') return
    throw chance.happens(0.5) ? new NotReachable('gone') : new CommandError({ code: 'failed', message: 'no', exit: 1 })
  }
  fleet.onCommand = (server, text) => {
    server.version = text.startsWith('deploy') ? 'new' : 'back'
    server.isWell = !chance.happens(harm)
    // Meanwhile another one may go down by itself.
    const other = chance.happens(0.3) ? fleet.servers[chance.between(0, fleet.servers.length - 1)] : undefined
    if (other !== undefined && other !== server && other.isWell) {
      other.isWell = false
      lost.push(other)
    }
    server.failing = chance.happens(harm) ? 0.2 : 0
    return chance.happens(harm) ? { kind: 'exit', code: 1 } : { kind: 'exit', code: 0 }
  }
  return { stop: first.signal, stopNow: second.signal }
}

/** Looks at every drain and command as it takes effect. */
function watchOver(fleet: FakeFleet, batch: number): { faults: string[] } {
  const faults: string[] = []
  const { onCall, onCommand } = fleet
  const busy = new Set<string>()
  let isUndoing = false
  let wasUsable = false
  fleet.onCall = (call, when) => {
    if (call.what === 'drain' && when === 'before') wasUsable = isServing(fleet, call.server)
    onCall(call, when)
    if (call.what === 'run' && when === 'after') busy.delete(call.server)
    if (call.what !== 'drain' || when !== 'after' || !wasUsable) return
    const { at, text } = capacityBeside(fleet.upstream(), { without: new Set(), floor: fleet.kit.options.floor })
    if (at !== 'enough') faults.push(`${call.server} was drained: ${text}`)
  }
  fleet.onCommand = (server, text) => {
    isUndoing ||= text.startsWith('undo')
    busy.add(server.id)
    if (busy.size > (isUndoing ? 1 : batch)) faults.push(`${[...busy].join(', ')} at once`)
    if (isServing(fleet, server.id)) faults.push(`${server.id} served while its command ran`)
    return onCommand(server, text)
  }
  return { faults }
}

function isServing(fleet: FakeFleet, id: string): boolean {
  return fleet.upstream().servers.find((server) => server.id === id)?.state === 'up'
}

function checkEnd(fleet: FakeFleet, report: DeployData, before: ReadonlyMap<string, string>): void {
  assert.equal(report.servers.length, fleet.servers.length)
  if (report.exit === 0) assert.ok(report.servers.every(({ outcome }) => outcome === 'done' || outcome === 'skipped'))
  for (const { server, outcome, version, note } of report.servers) {
    totals[outcome] = (totals[outcome] ?? 0) + 1
    const truth = fleet.server(server)
    if (version === 'old') assert.equal(truth.version, 'old', `${server} is not old`)
    if (version === 'new') assert.equal(truth.version, 'new', `${server} is not new`)
    if (version === 'rolled-back') assert.equal(truth.version, 'back', `${server} is not rolled back`)
    if (outcome === 'left') assert.match(note, new RegExp(`weir ready ${server}$`))
    else if (outcome === 'untouched' || outcome === 'skipped' || outcome === 'restored')
      assert.equal(truth.admin, before.get(server), `${server}: ${outcome}`)
    else if (outcome !== 'kept') assert.equal(truth.admin, 'ready', `${server}: ${outcome}`)
    if (outcome === 'kept') assert.notEqual(note, '')
  }
}
