import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { type RoomOptions, type Waiter, WaitingRoom } from '../../../src/worker/waiting-room.ts'

/** A room on a clock that the test moves, with a server that has `room` for so many. */
function setUp(t: { after(f: () => void): void }, options: Partial<RoomOptions> = {}) {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'] })
  t.after(() => mock.timers.reset())
  const state = { room: 0, waiting: 0, out: [] as string[] }
  const room = new WaitingRoom({
    max: 3,
    timeoutMs: 1000,
    now: () => Date.now(),
    counted: (change) => {
      state.waiting += change
    },
    lookEveryMs: null,
    ...options,
  })
  const waiter = (index: number, changes: Partial<Waiter> = {}): Waiter => ({
    id: { index, generation: 1 },
    kind: 'exchange',
    deadlineMs: room.deadline(),
    proceed: () => {
      if (state.room === 0) return false
      state.room--
      state.out.push(`${index} goes on`)
      return true
    },
    giveUp: () => void state.out.push(`${index} gives up`),
    ...changes,
  })
  return { room, waiter, state }
}

test('who came first goes first, as many as find a place', (t) => {
  const { room, waiter, state } = setUp(t)
  for (const index of [7, 3, 5]) assert.equal(room.enter(waiter(index)), true)
  state.room = 2
  room.release()
  assert.deepEqual([state.out, state.waiting, room.size], [['7 goes on', '3 goes on'], 1, 1])
})

test('a full room takes nobody, and one that left makes a place', (t) => {
  const { room, waiter, state } = setUp(t)
  for (const index of [1, 2, 3]) room.enter(waiter(index))
  assert.equal(room.enter(waiter(4)), false)
  room.leave('exchange', { index: 2, generation: 9 })
  assert.equal(state.waiting, 3, 'an older occupant of the index is not this one')
  room.leave('exchange', { index: 2, generation: 1 })
  assert.equal(room.enter(waiter(4)), true)
  assert.equal(state.waiting, 3)
})

test('a tunnel and an exchange of the same index are two', (t) => {
  const { room, waiter } = setUp(t)
  room.enter(waiter(1))
  room.enter(waiter(1, { kind: 'tunnel' }))
  assert.equal(room.size, 2)
})

test('who waits too long gives up', (t) => {
  const { room, waiter, state } = setUp(t)
  room.enter(waiter(1))
  mock.timers.tick(600)
  room.enter(waiter(2))
  mock.timers.tick(500)
  assert.deepEqual(state.out, ['1 gives up'])
  mock.timers.tick(600)
  assert.deepEqual([state.out, state.waiting], [['1 gives up', '2 gives up'], 0])
})

test('one that fails at once and is back keeps its place, and does not go round for ever', (t) => {
  const { room, waiter, state } = setUp(t)
  let tries = 0
  const stubborn: Waiter = waiter(1, {
    proceed: () => {
      tries++
      assert.ok(tries < 100, 'it goes round for ever')
      return room.enter({ ...stubborn })
    },
  })
  room.enter(stubborn)
  state.room = 1
  room.enter(waiter(2))
  room.release()
  assert.equal(tries, 1)
  assert.deepEqual([state.out, state.waiting, room.size], [['2 goes on'], 1, 1])
})

test('room that was made before anybody knew of the waiter is found by one more look', (t) => {
  const { room, waiter, state } = setUp(t)
  room.enter(waiter(1))
  state.room = 1
  mock.timers.tick(0)
  assert.deepEqual(state.out, ['1 goes on'])
})

test('where nobody brings news one is sent to see, and the others follow when it does not come back', (t) => {
  const { room, waiter, state } = setUp(t, { lookEveryMs: 200 })
  for (const index of [1, 2, 3]) room.enter(waiter(index))
  state.room = 3
  mock.timers.tick(200)
  assert.deepEqual(state.out, ['1 goes on'])
  room.enter(waiter(1))
  mock.timers.tick(200)
  assert.deepEqual(state.out, ['1 goes on', '2 goes on'], '1 came back, so the next one is sent alone, too')
  state.room = 2
  mock.timers.tick(200)
  assert.equal(room.size, 0)
})
