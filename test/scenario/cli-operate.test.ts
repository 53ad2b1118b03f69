// The commands of an operator against a balancer that runs, with traffic on it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import type { StatusData } from '../../src/shared/control/data.ts'
import { schemaName, type VerbName, verbs } from '../../src/shared/control/requests.ts'
import { type Balancer, MAIN, NODE, startBalancer } from './lib/balancer.ts'
import { connect } from './lib/client.ts'
import { config, tcpConfig } from './lib/config.ts'
import { addressOf, listen, shut } from './lib/listening.ts'
import { Gate, type Member, members, picks, send, tally } from './lib/member.ts'
import { inTime, type Scope, until } from './lib/wait.ts'

interface Command {
  readonly text: { out: string; err: string }
  signal(name: NodeJS.Signals): void
  /** Waits for its end. */
  end(): Promise<{ code: number | null; out: string; err: string }>
}

/** `weir` with these words, for this balancer. */
function begin(scope: Scope, weir: Balancer, words: string[]): Command {
  const child = spawn(NODE, [MAIN, ...words, '--socket', join(weir.folder, 'weir.sock')])
  scope.after(() => void child.kill('SIGKILL'))
  const text = { out: '', err: '' }
  child.stdout.on('data', (bytes: Buffer) => {
    text.out += bytes
  })
  child.stderr.on('data', (bytes: Buffer) => {
    text.err += bytes
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return {
    text,
    signal: (name) => void child.kill(name),
    end: async () => ({ code: await inTime(ended, { within: 20_000, what: `the end of weir ${words.join(' ')}` }), ...text }),
  }
}

function run(scope: Scope, weir: Balancer, ...words: string[]) {
  return begin(scope, weir, words).end()
}

/** The data of a verb's envelope, held to the published shape. */
function dataOf<T>(verb: VerbName, text: string): T {
  const envelope = JSON.parse(text)
  assert.equal(envelope.schema, schemaName(verb), text)
  assert.equal(typeof envelope.generation, 'number')
  assert.ok(!Number.isNaN(Date.parse(envelope.time)))
  assert.deepEqual(Value.Errors(verbs[verb].data, envelope.data), [], text)
  return envelope.data as T
}

const entries = (servers: Member[]) => servers.map(({ name, address }) => ({ name, address }))

/** Two servers, `app/a` and `app/b`, and two workers. */
async function pair(scope: Scope): Promise<{ weir: Balancer; a: Member; b: Member }> {
  const [a, b] = (await members(scope, 'ab')) as [Member, Member]
  return {
    weir: await startBalancer(scope, config({ servers: entries([a, b]), upstream: { balance: 'round-robin' } }), { workers: 2 }),
    a,
    b,
  }
}

/** So many requests that server `a` has in its hands until the gate is opened, and their answers. */
async function hold(scope: Scope, weir: Balancer, a: Member, count: number): Promise<{ gate: Gate; answers: Promise<string>[] }> {
  const gate = new Gate()
  a.handle = gate.handler('held')
  const answers: Promise<string>[] = []
  while (gate.size < count) {
    const before = gate.size
    const client = await send(scope, weir.port(), 'GET /')
    const answer = client.readResponse({ within: 20_000 }).then(({ text }) => text)
    let isAnswered = false
    answer.then(
      () => {
        isAnswered = true
      },
      () => undefined,
    )
    await until(() => isAnswered || gate.size > before, { what: 'a server has the request' })
    if (!isAnswered) answers.push(answer)
  }
  return { gate, answers }
}

test('from the moment that drain has returned, nothing new goes to the server, on no worker', async (t) => {
  const { weir, a, b } = await pair(t)
  assert.deepEqual(Object.keys(tally(await picks(t, weir.port(), 24))).sort(), ['a', 'b'])
  const { code, out } = await run(t, weir, 'drain', 'app/a')
  assert.deepEqual([code, out], [0, 'app/a is drained\n'])
  a.forget()
  assert.deepEqual(tally(await picks(t, weir.port(), 40)), { b: 40 })
  assert.equal(a.requests.length, 0)
  assert.equal((await run(t, weir, 'ready', 'app/a')).code, 0)
  b.forget()
  assert.deepEqual(Object.keys(tally(await picks(t, weir.port(), 24))).sort(), ['a', 'b'])
})

test('drain --wait returns when the last exchange has finished, and counts what remains on the way', async (t) => {
  const { weir, a } = await pair(t)
  const { gate, answers } = await hold(t, weir, a, 3)
  const command = begin(t, weir, ['drain', 'app/a', '--wait', '15s'])
  await until(() => command.text.err.includes('waiting for app/a: 3 in flight'), { within: 15_000 })
  gate.next()
  await until(() => command.text.err.includes('waiting for app/a: 2 in flight'))
  gate.open()
  const { code, out } = await command.end()
  assert.equal(code, 0)
  assert.match(out, /^app\/a is draining: 3 in flight\napp\/a is drained after \d+(\.\d)? m?s \(3 exchanges finished\)\n$/)
  assert.deepEqual(await Promise.all(answers), ['held', 'held', 'held'])
})

test('drain --wait that is too short has exit code 4 and names what remains, which still finishes', async (t) => {
  const { weir, a } = await pair(t)
  const { gate, answers } = await hold(t, weir, a, 1)
  const { code, err } = await run(t, weir, 'drain', 'app/a', '--wait', '200ms')
  assert.equal(code, 4)
  assert.match(err, /app\/a is not empty after 200ms: 1 in flight; it goes on draining, and "weir ready app\/a" gives it traffic again\n$/)
  const json = await run(t, weir, 'drain', 'app/a', '--wait', '50ms', '--json')
  assert.deepEqual([json.code, JSON.parse(json.out).error.code, json.err], [4, 'late', ''])
  gate.open()
  assert.deepEqual(await Promise.all(answers), ['held'])
})

test('drain --cut closes what is left at the deadline, with exit code 0', async (t) => {
  const open = new Set<Socket>()
  const echo = createServer((socket) => {
    open.add(socket.on('error', () => undefined).on('close', () => open.delete(socket)))
    socket.pipe(socket)
  })
  await listen(echo, { host: '127.0.0.1', port: 0 })
  t.after(() => shut(echo, () => open))
  const weir = await startBalancer(t, tcpConfig({ servers: [{ name: 'a', address: addressOf(echo) }] }))
  const client = await connect(t, weir.port())
  client.send('hello')
  await client.reader.take(5)
  const refused = await run(t, weir, 'drain', 'app/a', '--wait', '200ms', '--cut')
  assert.equal(refused.code, 5)
  const sessions = await run(t, weir, 'sessions', 'app/a')
  assert.match(sessions.out, /^CLIENT .*\n127\.0\.0\.1(:\d+)? +web +app\/a /)
  const { code, out } = await run(t, weir, 'drain', 'app/a', '--wait', '200ms', '--cut', '--force')
  assert.equal(code, 0)
  assert.match(out, /app\/a is drained after \d+(\.\d)? m?s \(1 connection cut\)\n$/)
  await client.reader.takeRest(2_000).catch(() => undefined)
  assert.equal((await run(t, weir, 'sessions')).out, 'no open tunnels\n')
})

test('the last usable server of an upstream is not drained without --force', async (t) => {
  const { weir } = await pair(t)
  assert.equal((await run(t, weir, 'drain', 'app/a')).code, 0)
  const { code, out, err } = await run(t, weir, 'drain', 'app/b')
  assert.deepEqual([code, out], [5, ''])
  assert.match(err, /^weir: .*app\/b.*--force/s)
  assert.deepEqual(tally(await picks(t, weir.port(), 8)), { b: 8 })
  assert.equal((await run(t, weir, 'drain', 'app/b', '--force')).code, 0)
})

test('a mistyped name is exit code 2 and suggests the nearest', async (t) => {
  const { weir } = await pair(t)
  for (const [words, near] of [
    [['drain', 'ap/a'], /did you mean "app\/?a?"\?/],
    [['maint', 'app/aa'], /did you mean "app\/a"\?/],
    [['add', 'aap', '127.0.0.1:1'], /did you mean "app"\?/],
  ] satisfies [string[], RegExp][]) {
    const { code, err } = await run(t, weir, ...words)
    assert.equal(code, 2, err)
    assert.match(err, near)
  }
})

test('Ctrl-C leaves the server draining, and says so', async (t) => {
  const { weir, a } = await pair(t)
  const { gate } = await hold(t, weir, a, 1)
  const command = begin(t, weir, ['drain', 'app/a', '--wait', '15s'])
  await until(() => command.text.err.includes('1 in flight'), { within: 15_000 })
  command.signal('SIGINT')
  const { code, err } = await command.end()
  assert.equal(code, 130)
  assert.match(err, /interrupted: app\/a goes on draining \(1 in flight when last heard\); "weir ready app\/a" gives it traffic again/)
  const { upstreams } = dataOf<StatusData>('status', (await run(t, weir, 'status', '--json')).out)
  assert.equal(upstreams[0]?.servers[0]?.state, 'draining')
  gate.open()
})

test('every command answers JSON of its published shape, and status shows what they have done', async (t) => {
  const { weir, b } = await pair(t)
  for (const [verb, ...words] of [
    ['weight', 'weight', 'app/a', '50%'],
    ['add', 'add', 'app', b.address, '--name', 'c'],
    ['maint', 'maint', 'app/c'],
    ['ready', 'ready', 'app/c'],
    ['drain', 'drain', 'app/a', '--dry-run'],
    ['wait', 'wait', 'app/a', 'up', '--for', '5s'],
    ['sessions', 'sessions'],
    ['workers', 'workers'],
    ['plan', 'plan'],
    ['reload', 'reload', '--dry-run'],
    ['save', 'config', 'save', '--dry-run'],
    ['status', 'status'],
    ['remove', 'remove', 'app/c'],
  ] satisfies [VerbName, ...string[]][]) {
    const { code, out, err } = await run(t, weir, ...words, '--json')
    assert.deepEqual([code, err], [0, ''], `weir ${words.join(' ')}: ${out}`)
    dataOf(verb, out)
  }
  const { out } = await run(t, weir, 'status')
  assert.match(out, /^weir \S+ running, /)
  assert.match(out, /^app\/a +\S+ +up +50% of 1 /m)
  assert.match(out, /^app\/a +weight +50% /m)
})

test('plan says what a reload would change, and a config with a mistake changes nothing', async (t) => {
  const { weir } = await pair(t)
  assert.match((await run(t, weir, 'plan')).out, /^no changes: /)
  const good = readFileSync(weir.configFile, 'utf8')
  writeFileSync(weir.configFile, `${good}\nuptreams: {}\n`)
  const bad = await run(t, weir, 'reload')
  assert.equal(bad.code, 1)
  assert.match(bad.err, /weir\.yaml:\d+:\d+: uptreams: unknown key, did you mean "upstreams"\?/)
  writeFileSync(weir.configFile, good.replace('grace: 3s', 'grace: 4s'))
  assert.match((await run(t, weir, 'plan')).out, /1 change\n[\s\S]*shutdown/)
  assert.match((await run(t, weir, 'reload')).out, /^reloaded .*: 1 change, generation \d+\n/)
  assert.match((await run(t, weir, 'plan')).out, /^no changes: /)
})

test('stop ends the balancer', async (t) => {
  const [a] = await members(t, 'a')
  const weir = await startBalancer(t, config({ servers: entries([a as Member]) }), { losesProcesses: true })
  const { code, out } = await run(t, weir, 'stop', '--grace', '2s')
  assert.deepEqual([code, out], [0, 'weir stops: what is there may take 2 s\n'])
  assert.deepEqual(await inTime(weir.exited, { within: 10_000 }), { code: 0, signal: null })
  assert.equal((await run(t, weir, 'status')).code, 3)
})
