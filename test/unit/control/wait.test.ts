import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GoodChecks } from '../../../src/primary/control/good-checks.ts'
import { machineMs } from '../../../src/shared/base/clock.ts'
import { type Asker, ask, asker, fake, opened, row, until } from './fixtures.ts'

const drained = { verb: 'wait', server: 'api/a', condition: 'drained', timeoutMs: 10_000 }

async function answered(client: Asker): Promise<void> {
  await until(() => client.lines.some(({ schema }) => schema !== 'weir.progress/1'), 'the answer')
}

test('what is true already is answered at once, without progress', async (t) => {
  const made = fake()
  const { path } = await opened(t, made.operation)
  const client = asker(t, path)
  client.send({ ...drained, timeoutMs: 0 }, { ...drained, condition: 'up', timeoutMs: 0 })
  await until(() => client.lines.length === 2, 'two answers')
  assert.deepEqual(
    client.lines.map(({ schema, data }) => [schema, data['isMet'], data['condition']]),
    [
      ['weir.wait/1', true, 'drained'],
      ['weir.wait/1', true, 'up'],
    ],
  )
})

test('a wait until it is drained tells what remains, when that changes and each second', async (t) => {
  const made = fake()
  const { path } = await opened(t, made.operation)
  made.inFlight.set('api/a', 3)
  const slot = made.table.get('api/a')?.record.slot as number
  made.tunnels = [{ worker: 1, tunnel: { client: '', listener: 0, server: slot, ageMs: 1, idleMs: 1, bytesSent: 0, bytesReceived: 0 } }]
  const client = asker(t, path)
  client.send(drained)
  const remaining = () => client.lines.map(({ data }) => JSON.stringify(data['remaining']))
  await until(() => client.lines.length === 2, 'the count of tunnels is known')
  assert.deepEqual(remaining(), ['{"inFlight":3,"tunnels":0}', '{"inFlight":3,"tunnels":1}'])
  await until(() => client.lines.length === 3, 'a line after a second', 2_000)
  made.inFlight.set('api/a', 1)
  await until(() => client.lines.length === 4, 'a line for the change', 500)
  assert.equal(remaining()[3], '{"inFlight":1,"tunnels":1}')
  made.inFlight.clear()
  await answered(client)
  const last = client.lines.at(-1)
  assert.deepEqual([last?.schema, last?.data['isMet'], last?.data['remaining']], ['weir.wait/1', true, { inFlight: 0, tunnels: 0 }])
  assert.ok(client.lines.slice(0, -1).every(({ schema }) => schema === 'weir.progress/1'))
})

test('a wait that is too long says what remains', async (t) => {
  const made = fake()
  const { path } = await opened(t, made.operation)
  made.inFlight.set('api/a', 2)
  const late = await ask(t, path, { ...drained, timeoutMs: 100 })
  assert.deepEqual([late.error.code, late.error.exit], ['late', 4])
  assert.equal(late.error.message, 'api/a is not empty after 100ms: 2 in flight')
  made.table.setHealth('api/a', 'down', machineMs())
  made.rows.set('api/a', row('api/a', { ok: false, code: 'L7STS', reason: 'status 503' }))
  const down = await ask(t, path, { ...drained, condition: 'up', timeoutMs: 60 })
  assert.equal(down.error.message, 'api/a is not up after 60ms: L7STS status 503')
})

test('a server that is removed is waited for until it is empty', async (t) => {
  const made = fake()
  const { path } = await opened(t, made.operation)
  made.inFlight.set('api/a', 1)
  const board = made.operation.board as unknown as { inFlight(slot: number): number }
  const slot = made.table.get('api/a')?.record.slot
  board.inFlight = (asked) => (asked === slot ? (made.inFlight.get('api/a') ?? 0) : 0)
  const before = asker(t, path)
  const up = asker(t, path)
  before.send(drained)
  up.send({ ...drained, condition: 'checked', checks: 3 })
  await until(() => before.lines.length > 0 && up.lines.length > 0, 'both wait')
  await ask(t, path, { verb: 'remove', server: 'api/a' })
  await answered(up)
  assert.equal(up.lines.at(-1)?.error.message, 'api/a was removed meanwhile')
  const after = asker(t, path)
  after.send(drained)
  await until(() => after.lines.length > 0, 'it waits')
  assert.equal(before.lines.at(-1)?.schema, 'weir.progress/1')
  made.inFlight.clear()
  await Promise.all([answered(before), answered(after)])
  assert.deepEqual([before.lines.at(-1)?.data['isMet'], after.lines.at(-1)?.data['isMet']], [true, true])
  assert.equal((await ask(t, path, { verb: 'wait', server: 'api/a', condition: 'up', timeoutMs: 1 })).error.code, 'unknown-name')
})

test('a wait for good checks counts from now, and anew after a bad one', async (t) => {
  const made = fake()
  const { path } = await opened(t, made.operation)
  made.rows.set('api/a', row('api/a', { streak: 5 }))
  const client = asker(t, path)
  client.send({ ...drained, condition: 'checked', checks: 2 })
  await until(() => client.lines.length === 1, 'it waits')
  made.rows.set('api/a', row('api/a', { streak: 6 }))
  await until(() => client.lines.at(-1)?.data['goodChecks'] === 1, 'one is seen')
  made.rows.set('api/a', row('api/a', { ok: false, streak: 1 }))
  await until(() => client.lines.at(-1)?.data['goodChecks'] === 0, 'it begins anew')
  made.rows.set('api/a', row('api/a', { streak: 2 }))
  await answered(client)
  assert.deepEqual([client.lines.at(-1)?.data['isMet'], client.lines.at(-1)?.data['goodChecks']], [true, 2])
})

test('a bad check between two looks is seen by the row that began anew', () => {
  const good = new GoodChecks(row('x', { streak: 9 }))
  good.look(row('x', { streak: 11 }))
  assert.equal(good.count, 2)
  good.look(row('x', { streak: 1 }))
  assert.equal(good.count, 1)
  good.look(undefined)
  assert.equal(good.count, 0)
})

test('a server without checks cannot be waited for by them', async (t) => {
  const made = fake()
  const { path } = await opened(t, made.operation)
  const reply = await ask(t, path, { ...drained, server: 'db/127.0.0.1:5432', condition: 'checked' })
  assert.match(reply.error.message, /has no active checks to wait for/)
})
