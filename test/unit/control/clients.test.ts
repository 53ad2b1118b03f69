import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Asker, ask, asker, fake, opened, until } from './fixtures.ts'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function refusal(client: Asker): Promise<string> {
  await client.ended
  return client.lines.at(-1)?.error.message ?? ''
}

/** Some that are connected and say nothing. */
async function idlers(t: TestContext, path: string, count: number): Promise<Asker[]> {
  const made = Array.from({ length: count }, () => asker(t, path))
  await Promise.all(made.map((client) => client.connected))
  return made
}

test('requests of one client are answered in order, however they are cut', async (t) => {
  const { operation } = fake()
  const { path } = await opened(t, operation)
  const client = asker(t, path)
  const bytes = Buffer.from('{"verb":"workers"}\n{"verb":"nosuch"}\r\n\n{"verb":"figures","upstream":"api"}\n')
  for (const byte of bytes) {
    client.socket.write(Buffer.of(byte))
    await new Promise(setImmediate)
  }
  await until(() => client.lines.length === 3, 'three answers')
  assert.deepEqual(
    client.lines.map(({ schema }) => schema),
    ['weir.workers/1', 'weir.error/1', 'weir.figures/1'],
  )
  assert.ok(client.lines.every(({ generation, time }) => generation === 7 && !Number.isNaN(Date.parse(time))))
})

test('a client that sends no more still gets its answers', async (t) => {
  const { operation } = fake()
  const { path } = await opened(t, operation)
  const client = asker(t, path)
  client.socket.end('{"verb":"workers"}\n{"verb":"plan"}\n')
  await client.ended
  assert.deepEqual(
    client.lines.map(({ schema }) => schema),
    ['weir.workers/1', 'weir.plan/1'],
  )
})

test('what is no request is answered with an error, and the next request is understood', async (t) => {
  const made = fake()
  const { path } = await opened(t, made.operation)
  const deep = `{"verb":${'['.repeat(60_000)}`
  const nested = `{"verb":"drain","server":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
  const wrong = ['{', '{"verb"', '{}', '{"verb":3}', '{"verb":null}', '{"verb":"__proto__"}', '{"verb":"constructor"}', deep, nested]
  const more = ['{"verb":"drain","server":7}', '{"verb":"drain","server":"api/a","__proto__":{"x":1}}', '{"verb":"drain\u0000"}']
  for (const line of [...wrong, ...more]) {
    const client = asker(t, path)
    client.send(`${line}\n`, { verb: 'workers' })
    await until(() => client.lines.length === 2 || client.isEnded, `an answer to ${line.slice(0, 40)}`)
    assert.deepEqual(
      client.lines.map(({ schema }) => schema),
      ['weir.error/1', 'weir.workers/1'],
      line.slice(0, 40),
    )
    assert.ok(['bad-request', 'unknown-verb'].includes(client.lines[0]!.error.code))
    assert.equal(client.lines[0]!.error.exit, 2)
    client.socket.destroy()
  }
})

test('bytes that are no text, and lines that are too long or have no end, close the client', async (t) => {
  const { operation } = fake()
  const { path } = await opened(t, operation)
  const invalid = asker(t, path)
  invalid.socket.write(Buffer.from([0x7b, 0xff, 0xfe, 0x0a]))
  assert.equal(await refusal(invalid), 'the request is no valid UTF-8')
  const long = asker(t, path)
  long.socket.write(Buffer.alloc(10_000_000, 'x'))
  assert.equal(await refusal(long), 'a request has at most 65536 bytes')
  const half = asker(t, path)
  half.socket.end('{"verb":"workers"}')
  assert.equal(await refusal(half), 'the last line has no end')
  const garbage = asker(t, path)
  garbage.socket.write(Buffer.from(Array.from({ length: 40_000 }, (_, i) => (i * 7919) % 256)))
  await garbage.ended
  assert.equal((await ask(t, path, { verb: 'workers' })).schema, 'weir.workers/1')
})

test('a line of the longest length is read', async (t) => {
  const { operation } = fake()
  const { path } = await opened(t, operation)
  const client = asker(t, path)
  const request = '{"verb":"workers"}'
  client.send(`${request.padEnd(65_536)}\n`)
  await until(() => client.lines.length === 1, 'an answer')
  assert.equal(client.lines[0]?.schema, 'weir.workers/1')
})

test('a client that is silent in the middle of a line is closed, one that waits for its answer is not', async (t) => {
  const made = fake()
  made.inFlight.set('api/a', 1)
  const { path } = await opened(t, made.operation, { limits: { lineMs: 60, idleMs: 150 } })
  const silent = asker(t, path)
  const idle = asker(t, path)
  const waiting = asker(t, path)
  silent.send('{"verb":')
  waiting.send({ verb: 'wait', server: 'api/a', condition: 'drained', timeoutMs: 60_000 })
  assert.equal(await refusal(silent), 'the line did not end in time')
  assert.ok(!idle.isEnded)
  assert.match(await refusal(idle), /a long time without a request/)
  await pause(200)
  assert.ok(!waiting.isEnded)
  made.inFlight.clear()
  await until(() => waiting.lines.at(-1)?.schema === 'weir.wait/1', 'the answer')
})

test('a byte now and then does not keep a line open', async (t) => {
  const { operation } = fake()
  const { path } = await opened(t, operation, { limits: { lineMs: 100 } })
  const client = asker(t, path)
  const timer = setInterval(() => client.socket.write('x'), 10)
  t.after(() => clearInterval(timer))
  const began = Date.now()
  // A write after the close may come before the reason is read.
  await client.ended
  assert.ok(Date.now() - began < 1_000)
})

test('a client that does not read its answers is closed', async (t) => {
  const { operation } = fake()
  const { path } = await opened(t, operation, { limits: { unreadMs: 100 } })
  const client = asker(t, path)
  const reader = asker(t, path)
  await client.connected
  client.socket.pause()
  for (const one of [client, reader]) one.send('{"verb":"status"}\n'.repeat(1_000))
  await until(() => reader.lines.length === 1_000, 'the answers of one that reads', 20_000)
  await pause(400)
  client.socket.resume()
  await client.ended
  assert.ok(client.text.split('\n').length < 900, 'most answers were never made')
})

test('however many are idle, the operator is answered', async (t) => {
  const { operation } = fake()
  const { path } = await opened(t, operation)
  const idle = await idlers(t, path, 1_000)
  assert.equal((await ask(t, path, { verb: 'status' })).schema, 'weir.status/1')
  await until(() => idle.filter(({ isEnded }) => isEnded).length >= 936, 'all but 64 are closed')
  const first = idle[0] as Asker
  assert.match(first.lines[0]?.error.message ?? '', /in favour of a new client: more than 64/)
  assert.equal(idle.filter(({ isEnded }) => !isEnded).length >= 63, true)
})

test('the one that has been quiet for longest goes first', async (t) => {
  const { operation } = fake()
  const { path } = await opened(t, operation, { limits: { clients: 3 } })
  const clients: Asker[] = []
  for (let i = 0; i < 3; i++) {
    clients.push(...(await idlers(t, path, 1)))
    await pause(5)
  }
  clients[0]?.send({ verb: 'workers' })
  await until(() => clients[0]?.lines.length === 1, 'an answer')
  await idlers(t, path, 1)
  await until(() => clients.some(({ isEnded }) => isEnded), 'one is closed')
  assert.deepEqual(
    clients.map(({ isEnded }) => isEnded),
    [false, true, false],
  )
})

test('when all wait for answers, one more is told so and closed', async (t) => {
  const made = fake()
  made.inFlight.set('api/a', 1)
  const { path } = await opened(t, made.operation, { limits: { clients: 3 } })
  const waiting = Array.from({ length: 3 }, () => asker(t, path))
  for (const client of waiting) client.send({ verb: 'wait', server: 'api/a', condition: 'drained', timeoutMs: 60_000 })
  await until(() => waiting.every(({ lines }) => lines.length > 0), 'all wait')
  assert.match(await refusal(asker(t, path)), /^too many clients: 3 are connected/)
  assert.ok(waiting.every(({ isEnded }) => !isEnded))
})

test('a client that goes away ends its wait', async (t) => {
  const made = fake()
  made.inFlight.set('api/a', 1)
  const { path } = await opened(t, made.operation)
  let looks = 0
  const board = made.operation.board as unknown as { inFlight(slot: number): number }
  const inFlight = board.inFlight.bind(board)
  board.inFlight = (slot) => {
    looks++
    return inFlight(slot)
  }
  const client = asker(t, path)
  client.send({ verb: 'wait', server: 'api/a', condition: 'drained', timeoutMs: 60_000 })
  await until(() => client.lines.length === 1, 'it waits')
  client.socket.destroy()
  await pause(150)
  const before = looks
  await pause(200)
  assert.equal(looks, before, 'nobody looks any more')
})

test('many requests in one packet leave room for other work', async (t) => {
  const { operation } = fake()
  const { path } = await opened(t, operation)
  const client = asker(t, path)
  let turns = 0
  const turn = () => {
    turns++
    immediate = setImmediate(turn)
  }
  let immediate = setImmediate(turn)
  t.after(() => clearImmediate(immediate))
  await client.connected
  turns = 0
  client.send('{"verb":"plan"}\n'.repeat(1_000))
  await until(() => client.lines.length === 1_000, 'all answers', 20_000)
  assert.ok(turns >= 1_000, `the loop turned ${turns} times`)
})

test('who asked is in the audit line, and no character of a request can write another line', async (t) => {
  const made = fake()
  const fds: number[] = []
  const peerOf = (fd: number) => {
    fds.push(fd)
    return { pid: 123, uid: 0 }
  }
  const { path } = await opened(t, made.operation, { peerOf })
  await ask(t, path, { verb: 'drain', server: 'api/a' })
  await ask(t, path, { verb: 'drain', server: 'api/a', dryRun: true })
  await ask(t, path, { verb: 'drain', server: 'api/a' })
  await ask(t, path, { verb: 'drain', server: 'api/b' })
  await ask(t, path, { verb: 'drain', server: 'x\ncontrol: stop (pid 1, uid 0): done\u001b[2J\u202e' })
  await ask(t, path, { verb: 'status' })
  assert.equal(made.lines.length, 5)
  assert.ok(fds.every((fd) => fd > 2))
  assert.equal(made.lines[0], 'control: drain api/a (pid 123, uid 0): changed')
  assert.equal(made.lines[1], 'control: drain api/a dryRun (pid 123, uid 0): nothing was done')
  assert.equal(made.lines[2], 'control: drain api/a (pid 123, uid 0): it was so already')
  assert.match(made.lines[3] ?? '', /^control: drain api\/b \(pid 123, uid 0\): refused: api\/b is the last usable server/)
  assert.match(made.lines[4] ?? '', /^control: drain x\ufffdcontrol: stop .*: unknown-name: /)
  assert.ok(made.lines.every((line) => !/[\p{Cc}\p{Cf}]/u.test(line)))
})
