import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { Compile } from 'typebox/schema'
import type { ChangeData, FiguresData, StatusData } from '../../src/shared/control/data.ts'
import { type VerbName, verbs } from '../../src/shared/control/requests.ts'
import { runToEnd, startBalancer } from './lib/balancer.ts'
import { config } from './lib/config.ts'
import { control, controlPath, linesOf, serverStatus } from './lib/control.ts'
import { members } from './lib/member.ts'
import { startLoad } from './lib/steady-load.ts'
import { until } from './lib/wait.ts'

const published = JSON.parse(readFileSync(new URL('../../docs/reference/control.schema.json', import.meta.url), 'utf8')) as {
  $defs: Record<string, object>
}

/** What is wrong with a line of an answer, by the published schema. */
function faultsOf(name: string, line: unknown): string[] {
  const validator = Compile({ $defs: published.$defs, $ref: `#/$defs/${name}` })
  const [, faults] = validator.Errors(line) as [boolean, { instancePath: string; message: string }[]]
  return faults.map(({ instancePath, message }) => `${instancePath} ${message}`)
}

function named(servers: { name: string; address: string }[], settings: object = {}): { name: string; address: string }[] {
  return servers.map(({ name, address }) => ({ name, address, ...settings }))
}

test('every verb answers what its published schema says', async (t) => {
  const [a, b, c] = await members(t, 'abc')
  const socket = controlPath(t)
  const servers = named([a!, b!])
  const balancer = await startBalancer(t, config({ servers, top: { workers: 2, control: { socket } } }), {
    usesDefaults: true,
    losesProcesses: true,
  })
  await until(async () => (await serverStatus(t, socket, 'app/a')).state === 'up')
  for (let i = 0; i < 10; i++) assert.equal((await fetch(balancer.url())).status, 200)
  const server = 'app/c'
  const requests: ({ verb: VerbName } & Record<string, unknown>)[] = [
    { verb: 'status' },
    { verb: 'workers' },
    { verb: 'figures', upstream: 'app' },
    { verb: 'live', window: '1m' },
    { verb: 'tail', limit: 1 },
    { verb: 'why', id: '' },
    { verb: 'sessions' },
    { verb: 'add', upstream: 'app', address: c!.address, name: 'c' },
    { verb: 'wait', server, condition: 'up', timeoutMs: 5_000 },
    { verb: 'drain', server },
    { verb: 'wait', server, condition: 'drained', timeoutMs: 5_000 },
    { verb: 'maint', server },
    { verb: 'ready', server },
    { verb: 'wait', server, condition: 'checked', checks: 1, timeoutMs: 9_000 },
    { verb: 'weight', server, weight: '50%' },
    { verb: 'cut', server },
    { verb: 'save', dryRun: true },
    { verb: 'remove', server },
    { verb: 'plan' },
    { verb: 'reload' },
    { verb: 'upgrade', dryRun: true },
    { verb: 'stop', graceMs: 2_000 },
  ]
  assert.deepEqual(
    Object.keys(verbs).filter((verb) => !requests.some((request) => request.verb === verb)),
    [],
    'every verb is here',
  )
  let requestId = ''
  for (const request of requests) {
    // Somebody asks for something while the stream is open.
    const asking = request.verb === 'tail' ? setInterval(() => void fetch(balancer.url()), 50) : undefined
    t.after(() => clearInterval(asking))
    if (request.verb === 'why') request['id'] = requestId
    const lines = await linesOf(t, socket, request, 15_000)
    clearInterval(asking)
    const last = lines.at(-1)
    if (request.verb === 'tail') requestId = /"requestId":"([^"]+)"/.exec(JSON.stringify(lines))?.[1] ?? ''
    assert.equal(last?.error, undefined, `${JSON.stringify(request)}: ${JSON.stringify(last?.error)}`)
    assert.deepEqual(faultsOf(`answer.${request.verb}`, last), [], request.verb)
    for (const line of lines.slice(0, -1)) assert.deepEqual(faultsOf('progress', line), [])
    if (request.verb === 'stop') break
    if (request.verb !== 'status') continue
    const { workers, listeners, upstreams } = last?.data as unknown as StatusData
    assert.deepEqual([workers.length, listeners[0]?.name, upstreams[0]?.usable], [2, 'web', 2])
    assert.equal(
      upstreams[0]?.servers.reduce((sum, { exchanges }) => sum + exchanges, 0),
      10,
    )
  }
  assert.equal((await balancer.exited).code, 0)
  assert.ok(!existsSync(socket), 'its file is gone')
})

test('an error answers what its published schema says, and says what to do', async (t) => {
  const [a] = await members(t, 'a')
  const socket = controlPath(t)
  await startBalancer(t, config({ servers: named([a!]), top: { control: { socket } } }))
  const refused = await control(t, socket, { verb: 'drain', server: 'app/a' })
  assert.deepEqual(faultsOf('error', refused), [])
  assert.notDeepEqual(faultsOf('answer.drain', refused), [], 'the schema can tell')
  assert.deepEqual([refused.error?.code, refused.error?.exit], ['refused', 5])
  assert.match(refused.error?.message ?? '', /^app\/a is the only server of app, .*--force/)
})

test('the socket is its owner’s alone, a second weir is refused, and what a killed one left is replaced', async (t) => {
  const [a] = await members(t, 'a')
  const socket = controlPath(t)
  const settings = config({ servers: named([a!]), top: { control: { socket } } })
  const first = await startBalancer(t, settings, { losesProcesses: true })
  assert.equal(statSync(socket).mode & 0o777, 0o600)
  const second = await runToEnd(t, settings)
  assert.equal(second.code, 1)
  assert.match(second.stderr, /^weir: another weir is in control at \S+weir\.sock: end it with `weir stop --socket \S+`, or give/m)
  assert.equal((await control(t, socket, { verb: 'workers' })).schema, 'weir.workers/1')
  first.signal('SIGKILL')
  await first.exited
  assert.ok(existsSync(socket))
  const third = await startBalancer(t, settings)
  assert.equal((await control<StatusData>(t, socket, { verb: 'status' })).data.pid, third.pid)
})

test('a drained server gets nothing new from the moment the command returns, on all workers', async (t) => {
  const fleet = await members(t, 'abc')
  for (const one of fleet) one.handle = (_request, res, seen) => void res.end(seen.url)
  const socket = controlPath(t)
  const settings = config({ servers: named(fleet), top: { workers: 2, control: { socket } } })
  const balancer = await startBalancer(t, settings, { usesDefaults: true })
  const a = fleet[0]!
  const load = startLoad(t, { port: balancer.port(), rate: 200, connections: 128 })
  for (let round = 0; round < 3; round++) {
    await until(() => a.requests.length > 20, { what: 'the server gets traffic' })
    const { data } = await control<ChangeData>(t, socket, { verb: 'drain', server: 'app/a' })
    a.forget()
    assert.equal(data.changed, true)
    const { answered } = load
    await until(() => load.answered > answered + 200, { what: 'traffic goes on' })
    assert.equal(a.requests.length, 0)
    const empty = await control(t, socket, { verb: 'wait', server: 'app/a', condition: 'drained', timeoutMs: 1_000 })
    assert.equal(empty.schema, 'weir.wait/1')
    await control(t, socket, { verb: 'ready', server: 'app/a' })
  }
  await load.stop()
  assert.deepEqual(load.failures, [])
})

test('servers come, change and go under load without a failed request', async (t) => {
  const fleet = await members(t, 'abc')
  for (const one of fleet) one.handle = (_request, res, seen) => void res.end(seen.url)
  const [a, , c] = fleet as [(typeof fleet)[0], (typeof fleet)[0], (typeof fleet)[0]]
  const socket = controlPath(t)
  const settings = config({ servers: named(fleet.slice(0, 2)), top: { workers: 2, control: { socket } } })
  const balancer = await startBalancer(t, settings, { usesDefaults: true })
  const load = startLoad(t, { port: balancer.port(), rate: 200, connections: 128 })
  await until(() => load.answered > 50)
  const generations: number[] = []
  const say = async (verb: VerbName, fields: object) => {
    const { generation, error } = await control(t, socket, { verb, ...fields })
    assert.equal(error, undefined, JSON.stringify(error))
    generations.push(generation)
  }
  await say('add', { upstream: 'app', address: c.address, name: 'c' })
  await until(() => c.requests.length > 10, { what: 'the new one serves' })
  await say('weight', { server: 'app/c', weight: '0%' })
  c.forget()
  const { answered } = load
  await until(() => load.answered > answered + 100)
  assert.equal(c.requests.length, 0)
  await say('remove', { server: 'app/c' })
  await say('remove', { server: 'app/a' })
  a.forget()
  const before = load.answered
  await until(() => load.answered > before + 100)
  assert.equal(a.requests.length, 0)
  await load.stop()
  assert.deepEqual(load.failures, [])
  assert.ok(
    generations.every((generation, i) => i === 0 || generation > (generations[i - 1] as number)),
    generations.join(' '),
  )
})

test('figures count what each server answered', async (t) => {
  const fleet = await members(t, 'ab')
  const socket = controlPath(t)
  const settings = config({ servers: named(fleet), top: { workers: 2, control: { socket } } })
  const balancer = await startBalancer(t, settings, { usesDefaults: true })
  for (let i = 0; i < 40; i++) await (await fetch(balancer.url())).text()
  const { data } = await control<FiguresData>(t, socket, { verb: 'figures', upstream: 'app' })
  for (const { id, exchanges, successes, failures, firstByteCounts } of data.servers) {
    const seen = fleet.find(({ name }) => id === `app/${name}`)?.requests.length
    const counted = Object.values(firstByteCounts).reduce((sum, count) => sum + count, 0)
    assert.deepEqual([exchanges, successes, failures, counted], [seen, seen, 0, seen])
    assert.ok(Object.keys(firstByteCounts).every((bound) => Number(bound) > 0 && Number(bound) < 5_000_000))
  }
})
