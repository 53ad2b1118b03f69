import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CheckScheduler, type ScheduledTarget } from '../../../src/primary/health/scheduler.ts'
import type { HealthPace } from '../../../src/shared/health-machine.ts'
import { seededRandom } from './fixtures.ts'

const intervals = { intervalMs: 2000, fastIntervalMs: 500, downIntervalMs: 5000 }

function targets(count: number): ScheduledTarget[] {
  return Array.from({ length: count }, (_, index) => ({ id: `u/${index}`, intervals }))
}

interface Begun {
  id: string
  at: number
}

interface Course {
  from?: number
  to: number
  latencyMs?: (id: string) => number
  pace?: (id: string) => HealthPace
  /** Time that passes between two looks at the schedule, as it does when the process is busy. */
  stepMs?: number
}

/** Runs a scheduler on a clock of its own. */
function simulate(scheduler: CheckScheduler, { from = 0, to, latencyMs = () => 3, pace = () => 'steady', stepMs = 1 }: Course): Begun[] {
  const begun: Begun[] = []
  const running = new Map<string, number>()
  for (let now = from; now < to; now += stepMs) {
    for (const [id, endsAt] of running) {
      if (endsAt > now) continue
      running.delete(id)
      scheduler.settle(id, pace(id), now)
    }
    for (const id of scheduler.take(now)) {
      assert.ok(!running.has(id), 'never two checks of one target at once')
      running.set(id, now + latencyMs(id))
      begun.push({ id, at: now })
    }
    assert.equal(scheduler.inFlight, running.size)
  }
  for (const id of running.keys()) scheduler.settle(id, pace(id), to)
  return begun
}

function gapsOf(begun: Begun[], id: string): number[] {
  const times = begun.filter((one) => one.id === id).map((one) => one.at)
  return times.slice(1).map((at, index) => at - (times[index] as number))
}

function mostWithin(windowMs: number, times: number[]): number {
  let most = 0
  for (let first = 0, last = 0; last < times.length; last++) {
    while ((times[last] as number) - (times[first] as number) >= windowMs) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}

test('first checks begin at once, and no more than may run at once', () => {
  const scheduler = new CheckScheduler({ maxInFlight: 256, random: seededRandom(1) })
  scheduler.set(targets(1000), 0)
  const taken = scheduler.take(0)
  assert.equal(new Set(taken).size, 256)
  assert.equal(scheduler.take(0).length, 0)
  assert.equal(scheduler.nextAt(), Number.POSITIVE_INFINITY)
  scheduler.settle(taken[7] as string, 'steady', 1)
  assert.equal(scheduler.nextAt(), 0)
  const next = scheduler.take(1)
  assert.equal(next.length, 1)
  assert.ok(!taken.includes(next[0] as string), 'one that has not been checked yet')
})

for (const seed of [1, 2, 3]) {
  test(`5,000 targets make no burst after their first checks (seed ${seed})`, () => {
    const random = seededRandom(seed)
    const scheduler = new CheckScheduler({ maxInFlight: 256, random })
    scheduler.set(targets(5000), 0)
    const begun = simulate(scheduler, { to: 14_000, latencyMs: () => 1 + Math.floor(random() * 20) })
    const first = new Set<string>()
    const later = begun.filter(({ id }) => first.has(id) || !first.add(id)).map(({ at }) => at)
    assert.equal(first.size, 5000)
    const fairShare = (5000 / intervals.intervalMs) * 50
    const most = mostWithin(50, later)
    assert.ok(most <= Math.ceil(1.5 * fairShare), `${most} checks within 50 ms`)
    assert.ok(later.length > 5 * 5000, `${later.length} checks later`)
  })
}

test('after a pause of the whole process the checks spread again', () => {
  const scheduler = new CheckScheduler({ maxInFlight: 256, random: seededRandom(4) })
  scheduler.set(targets(5000), 0)
  simulate(scheduler, { to: 5000 })
  const begun = simulate(scheduler, { from: 20_000, to: 27_000 }).filter(({ at }) => at > 23_000)
  const most = mostWithin(
    50,
    begun.map(({ at }) => at),
  )
  assert.ok(most <= 188, `${most} checks within 50 ms`)
})

test('steady targets are checked every interval, 10 % more or less', () => {
  const scheduler = new CheckScheduler({ maxInFlight: 256, random: seededRandom(5) })
  scheduler.set(targets(20), 0)
  const gaps = gapsOf(simulate(scheduler, { to: 60_000 }), 'u/3').slice(1)
  assert.ok(gaps.length > 25)
  for (const gap of gaps) assert.ok(gap >= 1799 && gap <= 2201, `${gap} ms`)
  assert.ok(new Set(gaps).size > 10, 'they vary')
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
  assert.ok(Math.abs(mean - 2000) < 20, `${mean} ms`)
})

test('targets that change are checked faster, steady ones that are down slower', () => {
  const scheduler = new CheckScheduler({ maxInFlight: 256, random: seededRandom(6) })
  scheduler.set(targets(3), 0)
  const paces: Record<string, HealthPace> = { 'u/0': 'steady', 'u/1': 'changing', 'u/2': 'down' }
  const begun = simulate(scheduler, { to: 60_000, pace: (id) => paces[id] as HealthPace })
  const counts = ['u/0', 'u/1', 'u/2'].map((id) => gapsOf(begun, id).length)
  assert.deepEqual(
    counts.map((count) => Math.round(count / 10)),
    [3, 12, 1],
  )
})

test('a change of pace is obeyed within one and a half of the new interval', () => {
  for (let seed = 0; seed < 200; seed++) {
    const scheduler = new CheckScheduler({ maxInFlight: 256, random: seededRandom(seed) })
    scheduler.set(targets(1), 0)
    simulate(scheduler, { to: 5000 })
    const begun = simulate(scheduler, { from: 5000, to: 9000, pace: () => 'changing' }).map(({ at }) => at)
    const gap = (begun[1] as number) - (begun[0] as number)
    assert.ok(gap >= 220 && gap <= 780, `${gap} ms`)
  }
})

test('a check that takes longer than the interval is never doubled', () => {
  const scheduler = new CheckScheduler({ maxInFlight: 256, random: seededRandom(8) })
  scheduler.set(targets(10), 0)
  const begun = simulate(scheduler, { to: 20_000, latencyMs: () => 3000 })
  for (const gap of gapsOf(begun, 'u/0')) assert.ok(gap >= 3000)
})

test('targets that stay keep their turns when others come and go, and new ones are due at once', () => {
  const scheduler = new CheckScheduler({ maxInFlight: 256, random: seededRandom(9) })
  scheduler.set(targets(3), 0)
  simulate(scheduler, { to: 1000 })
  const kept = scheduler.dueAt('u/1')
  scheduler.set([...targets(2), { id: 'u/new', intervals }], 1000)
  assert.equal(scheduler.dueAt('u/1'), kept)
  assert.equal(scheduler.dueAt('u/2'), null)
  assert.deepEqual(scheduler.take(1000), ['u/new'])
  scheduler.settle('u/new', 'steady', 1000)
  const begun = simulate(scheduler, { from: 1000, to: 9000 })
  assert.ok(begun.every(({ id }) => id !== 'u/2'))
})

test('a target that is removed and added again while it is checked begins nothing beside that check', () => {
  const scheduler = new CheckScheduler({ maxInFlight: 256, random: seededRandom(10) })
  scheduler.set(targets(1), 0)
  assert.deepEqual(scheduler.take(0), ['u/0'])
  scheduler.set([], 1)
  scheduler.set(targets(1), 2)
  scheduler.hurry('u/0', 2)
  assert.deepEqual(scheduler.take(10_000), [])
  scheduler.settle('u/0', 'steady', 10_000)
  scheduler.hurry('u/0', 10_000)
  assert.deepEqual(scheduler.take(10_000), ['u/0'])
  scheduler.set([], 10_001)
  scheduler.settle('u/0', 'steady', 10_002)
  assert.equal(scheduler.inFlight, 0)
  assert.equal(scheduler.nextAt(), Number.POSITIVE_INFINITY)
})

test('a shorter interval is obeyed from now on', () => {
  const scheduler = new CheckScheduler({ maxInFlight: 256, random: seededRandom(11) })
  const slow = { intervalMs: 3_600_000, fastIntervalMs: 1000, downIntervalMs: 3_600_000 }
  scheduler.set([{ id: 'a', intervals: slow }], 0)
  scheduler.take(0)
  scheduler.settle('a', 'steady', 1)
  scheduler.set([{ id: 'a', intervals }], 10)
  assert.ok((scheduler.dueAt('a') as number) <= 10 + 1.55 * 2000)
})

test('a step of the schedule does not look at every target', () => {
  const scheduler = new CheckScheduler({ maxInFlight: 256, random: seededRandom(12) })
  const hour = { intervalMs: 3_600_000, fastIntervalMs: 3_600_000, downIntervalMs: 3_600_000 }
  scheduler.set(
    Array.from({ length: 20_000 }, (_, index) => ({ id: `u/${index}`, intervals: hour })),
    0,
  )
  for (let taken = scheduler.take(0); taken.length > 0; taken = scheduler.take(0)) for (const id of taken) scheduler.settle(id, 'steady', 0)
  const began = process.cpuUsage()
  for (let now = 1; now < 20_000; now++) scheduler.take(now)
  // 20,000 steps over 20,000 targets would be 400 million looks, which take seconds.
  assert.ok(process.cpuUsage(began).user < 300_000)
})
