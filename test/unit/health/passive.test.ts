import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type EjectionChange, PassiveHealth } from '../../../src/primary/health/passive.ts'
import type { PassiveHealthConfig } from '../../../src/shared/config/model.ts'
import { seededRandom } from './fixtures.ts'

const defaults: PassiveHealthConfig = {
  failures: 5,
  ratio: 0.5,
  minimum: 20,
  windowMs: 10_000,
  ejectForMs: 10_000,
  maxEjectForMs: 300_000,
  maxEjected: 0.5,
  statuses: [],
  latencyMs: null,
}

/** Servers with two workers whose exchanges end as the test says; time passes in steps of 100 ms. */
class Fleet {
  now = 0
  readonly passive: PassiveHealth
  readonly #servers: Map<string, { exchanges: number; failures: number; firstByteUsSum: number; runOfFailures: number[] }>

  constructor(count: number, changes: Partial<PassiveHealthConfig> = {}, random: () => number = () => 0.5) {
    const ids = Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index))
    this.passive = new PassiveHealth({ ...defaults, ...changes }, random)
    this.passive.setServers(ids)
    this.#servers = new Map(ids.map((id) => [id, { exchanges: 100, failures: 50, firstByteUsSum: 0, runOfFailures: [0, 0] }]))
    assert.deepEqual(this.look(), [])
  }

  /** `outcomes` by worker: `-` failed, `+` answered. */
  exchange(id: string, outcomes: string[], firstByteMs = 1): void {
    const server = this.#servers.get(id)
    if (server === undefined) throw new Error(id)
    outcomes.forEach((text, worker) => {
      for (const outcome of text) {
        server.exchanges++
        server.firstByteUsSum += outcome === '+' ? firstByteMs * 1000 : 0
        if (outcome === '-') server.failures++
        server.runOfFailures[worker] = outcome === '-' ? (server.runOfFailures[worker] ?? 0) + 1 : 0
      }
    })
  }

  look(afterMs = 100): EjectionChange[] {
    this.now += afterMs
    return this.passive.observe(
      [...this.#servers].map(([id, counters]) => ({ id, ...counters, runOfFailures: [...counters.runOfFailures] })),
      this.now,
    )
  }

  after(id: string, outcomes: string[], firstByteMs?: number): EjectionChange[] {
    this.exchange(id, outcomes, firstByteMs)
    return this.look()
  }

  /** Looks until something changes; how long it took. */
  untilChange(): { ms: number; changes: EjectionChange[] } {
    for (let ms = 100; ms < 1_000_000; ms += 100) {
      const changes = this.look()
      if (changes.length > 0) return { ms, changes }
    }
    throw new Error('nothing changed')
  }
}

const ejected = (id: string, reason: string) => [{ id, isEjected: true, isProbing: false, reason }]
const returned = (id: string) => [{ id, isEjected: false, isProbing: true, reason: 'its ejection is over' }]

test('failures in a row over all workers and intervals eject a server', () => {
  const fleet = new Fleet(3)
  assert.deepEqual(fleet.after('a', ['--', '']), [])
  assert.deepEqual(fleet.look(), [])
  assert.deepEqual(fleet.after('a', ['-', '-']), [])
  assert.deepEqual(fleet.after('a', ['', '-']), ejected('a', '5 requests in a row failed'))
  assert.deepEqual(fleet.after('a', ['---', '---']), [], 'once')
})

test('a success anywhere ends the row', () => {
  const fleet = new Fleet(3)
  fleet.after('a', ['--', '--'])
  assert.deepEqual(fleet.after('a', ['', '+']), [])
  assert.deepEqual(fleet.after('a', ['----', '']), [])
  assert.deepEqual(fleet.after('a', ['-', '']), ejected('a', '5 requests in a row failed'))
})

test('within one interval the longest run of one worker counts', () => {
  const fleet = new Fleet(3)
  assert.deepEqual(fleet.after('a', ['+----', '+']), [])
  assert.deepEqual(fleet.after('a', ['-', '']), ejected('a', '5 requests in a row failed'))
})

test('a worker that only ever failed a little does not outweigh the successes of the other', () => {
  const fleet = new Fleet(3)
  for (let i = 0; i < 50; i++) assert.deepEqual(fleet.after('a', ['-', '++++']), [])
})

test('a share of failures in the window ejects, below the minimum it does not', () => {
  const fleet = new Fleet(3)
  for (let i = 0; i < 9; i++) assert.deepEqual(fleet.after('a', ['-+', '']), [])
  assert.deepEqual(fleet.after('a', ['+-', '']), ejected('a', '50% of 20 requests in 10s failed'))
})

test('failures that have left the window count no more', () => {
  const fleet = new Fleet(3)
  for (let i = 0; i < 9; i++) fleet.after('a', ['-+', ''])
  fleet.look(10_000)
  assert.deepEqual(fleet.after('a', ['-+', '']), [])
})

test('a slow mean time to the first byte ejects when it is limited', () => {
  const fleet = new Fleet(3, { latencyMs: 500 })
  for (let i = 0; i < 19; i++) assert.deepEqual(fleet.after('a', ['+', ''], 800), [])
  assert.deepEqual(fleet.after('a', ['+', ''], 800), ejected('a', '800 ms to the first byte on average in 10s'))
  const unlimited = new Fleet(3)
  for (let i = 0; i < 40; i++) assert.deepEqual(unlimited.after('a', ['+', ''], 8000), [])
})

test('an ejection ends, one request probes, and its success brings the server back', () => {
  const fleet = new Fleet(3)
  fleet.after('a', ['-----', ''])
  assert.deepEqual(fleet.untilChange(), { ms: 10_000, changes: returned('a') })
  assert.deepEqual(fleet.look(60_000), [], 'it probes as long as nobody asks')
  assert.deepEqual(fleet.after('a', ['+', '']), [{ id: 'a', isEjected: false, isProbing: false, reason: 'it answered again' }])
  assert.deepEqual(fleet.after('a', ['-', '']), [])
})

test('a probe that fails ejects again at once, for longer each time, up to the maximum', () => {
  const fleet = new Fleet(3, { maxEjectForMs: 35_000 })
  fleet.after('a', ['-----', ''])
  const times = [1, 2, 3, 4, 5].map(() => {
    const { ms, changes } = fleet.untilChange()
    assert.deepEqual(changes, returned('a'))
    assert.deepEqual(fleet.after('a', ['', '-']), ejected('a', 'the first request after its return failed'))
    return ms
  })
  assert.deepEqual(times, [10_000, 20_000, 30_000, 35_000, 35_000])
})

test('past ejections are forgiven, one for each window of health', () => {
  const fleet = new Fleet(3)
  for (let i = 0; i < 3; i++) {
    fleet.after('a', [i === 0 ? '-----' : '-', ''])
    fleet.untilChange()
  }
  fleet.after('a', ['+', ''])
  fleet.look(20_000)
  fleet.after('a', ['+', ''])
  fleet.after('a', ['-----', ''])
  assert.equal(fleet.untilChange().ms, 20_000)
})

test('ejections vary by up to 20 %', () => {
  const random = seededRandom(7)
  const times = Array.from({ length: 50 }, () => {
    const fleet = new Fleet(3, {}, random)
    fleet.after('a', ['-----', ''])
    return fleet.untilChange().ms
  })
  assert.ok(Math.min(...times) >= 8000 && Math.max(...times) <= 12_100)
  assert.ok(Math.max(...times) - Math.min(...times) > 2000)
})

test('no more than the share is ejected, and the one that had to stay goes when there is room', () => {
  const fleet = new Fleet(4)
  for (const id of ['a', 'b', 'c']) fleet.exchange(id, ['-----', ''])
  const changes = fleet.look()
  assert.deepEqual(
    changes.map(({ id }) => id),
    ['a', 'b'],
  )
  assert.deepEqual(fleet.after('c', ['-', '']), [])
  fleet.exchange('c', ['-', ''])
  fleet.now += 10_000
  const later = fleet.look()
  assert.deepEqual(
    later.map(({ id, isEjected }) => [id, isEjected]),
    [
      ['a', false],
      ['b', false],
      ['c', true],
    ],
  )
})

test('one of two may be ejected whatever the share, the only server never', () => {
  const pair = new Fleet(2, { maxEjected: 0.1 })
  assert.equal(pair.after('a', ['-----', '']).length, 1)
  assert.equal(pair.after('b', ['-----', '']).length, 0)
  assert.deepEqual(new Fleet(1, { maxEjected: 1 }).after('a', ['---------', '']), [])
  assert.deepEqual(new Fleet(3, { maxEjected: 0 }).after('a', ['---------', '']), [])
})

test('a server that is left alone by the removal of others returns', () => {
  const fleet = new Fleet(2)
  fleet.after('a', ['-----', ''])
  fleet.passive.setServers(['a'])
  assert.deepEqual(fleet.look(), [{ id: 'a', isEjected: false, isProbing: true, reason: 'too few servers are left' }])
})

test('servers that stay keep their ejection when others come', () => {
  const fleet = new Fleet(2)
  fleet.after('a', ['-----', ''])
  fleet.passive.setServers(['a', 'b', 'new'])
  assert.equal(fleet.untilChange().ms, 10_000)
})

test('counters that fall because a worker died eject nobody', () => {
  const passive = new PassiveHealth(defaults, () => 0.5)
  passive.setServers(['a', 'b'])
  const counters = (exchanges: number, failures: number, run: number) => [
    { id: 'a', exchanges, failures, firstByteUsSum: 0, runOfFailures: [run] },
  ]
  passive.observe(counters(1000, 400, 4), 0)
  assert.deepEqual(passive.observe(counters(500, 100, 0), 100), [])
  assert.deepEqual(passive.observe(counters(501, 101, 1), 200), [])
})

test('whatever happens, no more are out than the cap allows, and changes make sense', () => {
  const step = fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    outcomes: fc.stringMatching(/^[-+]{0,8}$/),
    afterMs: fc.integer({ min: 1, max: 9000 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.integer(), (steps, seed) => {
      const fleet = new Fleet(5, {}, seededRandom(seed))
      const at = new Map<string, string>()
      for (const { id, outcomes, afterMs } of steps) {
        fleet.exchange(id, [outcomes, ''])
        for (const change of fleet.look(afterMs)) {
          const before = at.get(change.id) ?? 'in'
          const next = change.isEjected ? 'out' : change.isProbing ? 'probing' : 'in'
          assert.ok(['in out', 'out probing', 'probing in', 'probing out'].includes(`${before} ${next}`), `${before} ${next}`)
          at.set(change.id, next)
        }
        assert.ok([...at.values()].filter((one) => one === 'out').length <= 2)
      }
    }),
  )
})
