import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ServerState } from '../../../src/shared/ipc/server-state.ts'
import type { PolicyName } from '../../../src/worker/pick/picker.ts'
import { policies } from '../../../src/worker/pick/policies.ts'
import { board, context, picker, picks, seededRandom, servers, setLoad, state } from './fixtures.ts'

const names = Object.keys(policies) as PolicyName[]

/** With another key and client for each pick, so that hash policies reach all servers. */
function spread(from: ReturnType<typeof picker>, at: ReturnType<typeof context>, count = 60): Set<number> {
  return new Set(
    Array.from({ length: count }, (_, i) => {
      at.key = `k${i}`
      at.clientIp = `192.0.2.${i}`
      return from.pick(at)
    }),
  )
}

for (const name of names) {
  test(`${name}: a later tier is used only when no server of the earlier ones is eligible`, () => {
    const at = context(board(4))
    const from = picker(name, servers([1, 1, 1, 1], { 0: { maxConnections: 2 }, 1: { tier: 1 }, 3: { tier: 7 } }))
    const reached = (excluded: number[] = []) => spread(from, Object.assign(at, { excluded }))
    assert.deepEqual(reached(), name === 'first' ? new Set([0]) : new Set([0, 2]))
    assert.deepEqual(reached([0, 2]), new Set([1]))
    assert.deepEqual(reached([0, 1, 2]), new Set([3]))
    from.apply(state(2, { health: 'down' }))
    assert.deepEqual(reached(), new Set([0]))
    setLoad(at.board, 0, 2)
    assert.deepEqual(reached(), new Set([1]))
    assert.deepEqual(reached([1, 3]), new Set([-1]))
  })

  test(`${name}: a distrusted server is picked only when there is no other, of any tier`, () => {
    const at = context(board(3), { now: 99 })
    const from = picker(name, servers([1, 1, 1], { 2: { tier: 1 } }))
    from.distrust(0, 100)
    assert.deepEqual(spread(from, at), new Set([1]))
    from.distrust(1, 100)
    assert.deepEqual(spread(from, at), new Set([2]))
    from.distrust(2, 100)
    for (const slot of spread(from, at)) assert.ok(slot === 0 || slot === 1, `picked ${slot}`)
    at.now = 100
    assert.ok(!spread(from, at).has(2))
    from.distrust(1, 0)
    at.now = 99
    assert.deepEqual(spread(from, at), new Set([1]))
  })

  test(`${name}: a server of weight 0 is never picked, not even alone or in a later tier`, () => {
    const at = context(board(2), { key: 'k', clientIp: '192.0.2.1' })
    assert.equal(picker(name, servers([0])).pick(at), -1)
    assert.equal(picker(name, servers([0, 0], { 1: { tier: 1 } })).pick(at), -1)
    assert.equal(picker(name, servers([0, 1])).pick(at), 1)
  })

  test(`${name}: no servers, no pick; news about unknown slots is ignored`, () => {
    const from = picker(name, [], { start: 3 })
    from.apply(state(5))
    from.distrust(5, 1)
    from.tick(1)
    const at = context(board(6), { key: 'k', clientIp: '192.0.2.1' })
    assert.equal(from.pick(at), -1)
    assert.equal(from.why(at), 'none')
    assert.equal(from.pickNamed(5, at), false)
    assert.equal(from.isPanicking, false)
  })

  test(`${name}: the slot is answered, not the position`, () => {
    const list = servers([1, 1], { 0: { slot: 41, maxConnections: 1 }, 1: { slot: 17, tier: 1 } })
    const at = context(board(42), { key: 'k', clientIp: '192.0.2.1' })
    const from = picker(name, list)
    assert.equal(from.pick(at), 41)
    setLoad(at.board, 41, 1)
    assert.equal(from.pick(at), 17)
  })

  test(`${name}: whatever the states, an eligible server is found when there is one, and no other is picked`, () => {
    const server = fc.record({
      weight: fc.integer({ min: 0, max: 4 }),
      load: fc.integer({ min: 0, max: 3 }),
      maxConnections: fc.option(fc.integer({ min: 1, max: 3 })),
      tier: fc.integer({ min: 0, max: 2 }),
      zone: fc.constantFrom('a', 'b', null),
      isExcluded: fc.boolean(),
      isDistrusted: fc.boolean(),
      state: fc.record({
        health: fc.constantFrom<ServerState['health']>('up', 'up', 'up', 'down', 'unknown'),
        admin: fc.constantFrom<ServerState['admin']>('ready', 'ready', 'drain', 'maint'),
        isEjected: fc.boolean(),
        isProbing: fc.boolean(),
        weightShare: fc.constantFrom(0, 0.5, 1),
        warmSinceMs: fc.constantFrom(0, 950),
      }),
    })
    const given = fc.record({ list: fc.array(server, { maxLength: 12 }), copies: fc.constantFrom(1, 1, 1, 9), seed: fc.nat() })
    fc.assert(
      fc.property(given, ({ list, copies, seed }) => {
        const all = Array.from({ length: copies }, () => list).flat()
        const view = board(
          all.length,
          all.map(({ load }) => load),
        )
        const from = picker(
          name,
          all.map(({ weight, maxConnections, tier, zone }, slot) => ({ slot, id: `s${slot}`, weight, maxConnections, tier, zone })),
          { zone: 'a', initial: 'hold', slowStart: { ms: 100, floor: 0.1 } },
        )
        all.forEach((one, slot) => from.apply(state(slot, one.state)))
        all.forEach((one, slot) => one.isDistrusted && from.distrust(slot, 2000))
        from.tick(1000)
        const isServing = (one: (typeof all)[number], isPanic: boolean) =>
          one.state.health === 'up' &&
          one.state.admin === 'ready' &&
          one.weight * one.state.weightShare > 0 &&
          (isPanic || !one.state.isEjected)
        const isPanic = !all.some((one) => isServing(one, false)) && all.some((one) => isServing(one, true))
        const hasRoom = (one: (typeof all)[number]) =>
          !one.isExcluded && one.load < (one.state.isProbing ? 1 : (one.maxConnections ?? Infinity))
        const open = all.filter((one) => isServing(one, isPanic) && hasRoom(one))
        const trusted = open.filter((one) => !one.isDistrusted)
        // Those who are ejected stand in when every one that serves refused a moment ago or was tried.
        const isLost =
          all.some((one) => one.isDistrusted) && all.every((one) => !isServing(one, isPanic) || one.isDistrusted || one.isExcluded)
        const spare = isLost
          ? all.filter((one) => !isServing(one, isPanic) && isServing(one, true) && hasRoom(one) && !one.isDistrusted)
          : []
        const least = Math.min(...spare.map((one) => one.load))
        const choice = trusted.length > 0 ? trusted : spare.length > 0 ? spare.filter((one) => one.load === least) : open
        const tier = trusted.length > 0 || spare.length === 0 ? Math.min(...choice.map((one) => one.tier)) : null
        const at = context(view, {
          random: seededRandom(seed),
          now: 1000,
          excluded: all.flatMap((one, slot) => (one.isExcluded ? [slot] : [])),
        })
        for (let i = 0; i < 8; i++) {
          at.key = `k${seed + i}`
          at.clientIp = `192.0.2.${i}`
          const slot = from.pick(at)
          if (choice.length === 0) assert.equal(slot, -1)
          else assert.ok(slot >= 0 && choice.includes(all[slot]!) && (tier === null || all[slot]!.tier === tier), `picked ${slot}`)
        }
        assert.equal(from.isPanicking, isPanic)
      }),
      { numRuns: 300 },
    )
  })

  test(`${name}: picks allocate nothing that stays`, () => {
    const from = picker(name, servers(Array.from({ length: 100 }, (_, i) => 1 + (i % 3))))
    const at = context(board(100), { random: Math.random })
    const keys = Array.from({ length: 64 }, (_, i) => `key-${i}`)
    const run = (count: number) => {
      for (let i = 0; i < count; i++) {
        at.key = keys[i & 63]!
        at.clientIp = at.key
        from.pick(at)
      }
    }
    run(200_000)
    const perPick = Math.min(
      ...Array.from({ length: 5 }, () => {
        const before = process.memoryUsage().heapUsed
        run(100_000)
        return Math.max(0, process.memoryUsage().heapUsed - before) / 100_000
      }),
    )
    // One object would be 16 bytes at least.
    assert.ok(perPick < 12, `${perPick.toFixed(1)} bytes per pick`)
  })
}

test('two workers do not begin with the same server', () => {
  for (const name of ['round-robin', 'least-connections'] as const) {
    const first = (start: number) => picker(name, servers([1, 1, 1]), { start }).pick(context(board(3)))
    assert.deepEqual([first(0), first(1), first(2)], [0, 1, 2])
  }
})

test('a rotation that nobody could be in yet still begins where it should', () => {
  for (const size of [3, 100]) {
    const from = picker('round-robin', servers(new Array(size).fill(1)), { start: 2, initial: 'hold' })
    const at = context(board(size))
    assert.equal(from.pick(at), -1)
    for (let slot = 0; slot < size; slot++) from.apply(state(slot))
    assert.deepEqual(picks(from, 2, at), [2, 3 % size])
  }
})
