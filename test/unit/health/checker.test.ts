import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { CheckTarget } from '../../../src/primary/health/check-target.ts'
import { HealthChecker } from '../../../src/primary/health/checker.ts'
import { answering, health, httpCheck, rawServer, target, until } from './fixtures.ts'

const quick = { intervalMs: 40, fastIntervalMs: 30, downIntervalMs: 40, timeoutMs: 200 }

/** A checker that runs, and all it told, one line each. */
function running(t: TestContext, targets: CheckTarget[], maxInFlight = 64) {
  const told: string[] = []
  const checker = new HealthChecker({
    maxInFlight,
    events: {
      verdict: (id, { health: is, reason }) => told.push(`${id} ${is}: ${reason}`),
      drain: (id, isDraining) => told.push(`${id} ${isDraining ? 'drain' : 'no drain'}`),
      agent: (id, orders) => told.push(`${id} agent ${JSON.stringify(orders)}`),
    },
  })
  t.after(() => checker.stop())
  checker.update(targets)
  checker.start()
  return { checker, told }
}

test('the first checks give verdicts at once, later ones only when it changes', async (t) => {
  let status = '200 OK'
  const server = await rawServer(t, (socket) => socket.on('data', () => socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`)))
  const check = health({ ...quick, check: httpCheck() })
  const { checker, told } = running(t, [target('web/a', [server.address], { health: check })])
  await until(() => told.length === 1, 'the first verdict')
  assert.equal(checker.report()[0]?.state, 'up')
  status = '503 No'
  await until(() => told.length === 2, 'down')
  status = '200 OK'
  await until(() => told.length === 3, 'up')
  assert.deepEqual(told, ['web/a up: status 200', 'web/a down: status 503', 'web/a up: status 200'])
})

test('a soft stop is told once, and taken back once', async (t) => {
  let status = 404
  const server = await rawServer(t, (socket) => socket.on('data', () => socket.write(`HTTP/1.1 ${status} x\r\nContent-Length: 0\r\n\r\n`)))
  const check = health({ ...quick, check: httpCheck({ softStop: 404 }) })
  const { checker, told } = running(t, [target('web/a', [server.address], { health: check })])
  await until(() => (checker.report()[0]?.streak ?? 0) > 2, 'three checks')
  assert.deepEqual(told, ['web/a up: status 404: asks to be drained', 'web/a drain'])
  assert.equal(checker.report()[0]?.isDraining, true)
  status = 200
  await until(() => told.length === 3, 'no drain')
  assert.equal(told[2], 'web/a no drain')
})

test('agents are obeyed, and repeat nothing', async (t) => {
  let line = 'up 50%\n'
  let asked = 0
  const server = await rawServer(t, (socket) => (asked++, socket.resume().end(line)))
  const agent = { port: server.address.port, intervalMs: 30, timeoutMs: 200 }
  const { checker, told } = running(t, [target('web/a', [server.address], { health: null, agent })])
  await until(() => asked >= 4, 'four questions')
  assert.deepEqual(told, ['web/a agent {"down":false,"weightShare":0.5}'])
  line = 'drain\n'
  await until(() => told.length === 2, 'new orders')
  assert.equal(told[1], 'web/a agent {"admin":"drain"}')
  assert.equal(checker.report()[0]?.agent, 'agent: drain')
  line = 'nonsense\n'
  await until(() => checker.report()[0]?.agent === 'no valid agent line', 'nonsense')
  assert.equal(told.length, 2)
})

test('addresses of one server are tried in turn, on the port of the check', async (t) => {
  const server = await rawServer(t, (socket) => socket.on('end', () => socket.end()).resume())
  const { told } = running(t, [
    target(
      'web/a',
      [
        { ip: '127.0.0.2', port: 1 },
        { ip: '127.0.0.1', port: 1 },
      ],
      { health: health({ port: server.address.port }) },
    ),
    target('web/b', [{ ip: '127.0.0.2', port: server.address.port }]),
    target('web/c', []),
  ])
  await until(() => told.length === 3, 'three verdicts')
  assert.deepEqual(told.sort(), ['web/a up: connected', 'web/b down: connection refused', 'web/c down: its name has no address'])
})

test('targets that stay keep what is known of them, changed ones begin anew, and of removed ones nothing is told', async (t) => {
  const server = await rawServer(t, answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
  const silent = await rawServer(t, (socket) => socket.resume())
  const slow = { intervalMs: 60_000, fastIntervalMs: 60_000, downIntervalMs: 60_000 }
  const same = target('web/same', [server.address], { health: health({ ...slow, check: httpCheck() }) })
  const changed = target('web/changed', [server.address], { health: health({ ...slow, check: httpCheck() }) })
  const hanging = target('web/gone', [silent.address], { health: health({ ...slow, timeoutMs: 60_000, check: httpCheck() }) })
  const { checker, told } = running(t, [same, changed, hanging])
  await until(() => told.length === 2 && silent.sockets.length === 1, 'two verdicts')
  const before = checker.report()[0]
  checker.update([
    { ...same, health: health({ ...slow, check: httpCheck() }) },
    { ...changed, health: health({ ...slow, check: httpCheck({ path: '/new' }) }) },
  ])
  await until(() => silent.sockets[0]?.readableEnded === true, 'the hanging check is ended')
  await until(() => told.length === 3, 'a verdict of the new check')
  assert.equal(told[2], 'web/changed up: status 200')
  assert.deepEqual(checker.report()[0], before)
  assert.deepEqual(
    checker.report().map((row) => row.id),
    ['web/same', 'web/changed'],
  )
})

test('a check that is redefined while it runs is asked anew at once', async (t) => {
  const silent = await rawServer(t, (socket) => socket.resume())
  const server = await rawServer(t, (socket) => socket.on('end', () => socket.end()).resume())
  const slow = { intervalMs: 60_000, fastIntervalMs: 60_000, timeoutMs: 60_000 }
  const { checker, told } = running(t, [target('web/a', [silent.address], { health: health({ ...slow, check: httpCheck() }) })])
  await until(() => silent.sockets.length === 1, 'the first check runs')
  checker.update([target('web/a', [server.address], { health: health(slow) })])
  await until(() => told.length === 1, 'the new check answers')
  assert.deepEqual(told, ['web/a up: connected'])
})

test('no more checks run at once than may', async (t) => {
  let open = 0
  let most = 0
  const server = await rawServer(t, (socket) => {
    most = Math.max(most, ++open)
    const answer = () => {
      open--
      socket.end('HTTP/1.1 200 OK\r\n\r\n')
    }
    socket.once('data', () => setTimeout(answer, 20))
  })
  const targets = Array.from({ length: 20 }, (_, index) =>
    target(`web/${index}`, [server.address], { health: health({ check: httpCheck() }) }),
  )
  const { told } = running(t, targets, 4)
  await until(() => told.length === 20, 'all verdicts')
  assert.equal(most, 4)
})

test('after stop nothing is told and nothing is open', async (t) => {
  const server = await rawServer(t, (socket) => socket.resume())
  const { checker, told } = running(t, [target('web/a', [server.address], { health: health({ check: httpCheck() }) })])
  await until(() => server.sockets.length === 1, 'the check runs')
  checker.stop()
  await until(() => server.sockets[0]?.readableEnded === true, 'its connection is closed')
  assert.deepEqual(told, [])
  checker.update([])
  assert.deepEqual(checker.report(), [])
})

test('the report says what a person wants to know', async (t) => {
  const server = await rawServer(t, answering('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'))
  const { checker, told } = running(t, [target('web/a', [server.address], { health: health({ check: httpCheck() }) })])
  assert.equal(checker.report()[0]?.state, 'unknown')
  await until(() => told.length === 1, 'a verdict')
  const { latencyMs, checkedAt, nextAt, ...row } = checker.report()[0]!
  assert.ok(latencyMs! > 0 && checkedAt! > 0)
  await until(() => checker.report()[0]?.nextAt !== null, 'the next check is planned')
  assert.ok(nextAt === null || nextAt > checkedAt!)
  assert.deepEqual(row, {
    id: 'web/a',
    state: 'down',
    isChanging: false,
    isDraining: false,
    ok: false,
    code: 'L7STS',
    status: 500,
    reason: 'status 500',
    streak: 1,
    agent: null,
  })
})
