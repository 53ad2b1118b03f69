import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Compile } from 'typebox/compile'
import { abi } from '../../../src/native/abi.ts'
import { answerRequest } from '../../../src/primary/control/answer-request.ts'
import { machineMs } from '../../../src/shared/base/clock.ts'
import type { ChangeData, ServerStatus } from '../../../src/shared/control/data.ts'
import { type VerbName, verbs } from '../../../src/shared/control/requests.ts'
import { configOf, type Fake, fake, type Reply, row } from './fixtures.ts'

const caller = { who: 'pid 1, uid 0', signal: new AbortController().signal, progress: () => true }

async function say(made: Fake, request: object): Promise<Reply> {
  const reply = (await answerRequest(made.operation, JSON.stringify(request), caller)) as unknown as Reply
  if (reply.error === undefined) {
    const { verb } = request as { verb: VerbName }
    assert.equal(reply.schema, `weir.${verb}/1`)
    assert.deepEqual([...Compile(verbs[verb].data).Errors(reply.data)], [], `${verb} answers what its schema says`)
  }
  return reply
}

async function change(made: Fake, request: object): Promise<ChangeData> {
  const { data, error } = await say(made, request)
  assert.equal(error, undefined, JSON.stringify(error))
  return data as unknown as ChangeData
}

async function errorOf(made: Fake, request: object): Promise<string> {
  const { error } = await say(made, request)
  assert.ok(error, `${JSON.stringify(request)} was done`)
  return `${error.code} ${error.exit}: ${error.message}`
}

async function server(made: Fake, id: string): Promise<ServerStatus> {
  const { upstreams } = (await say(made, { verb: 'status' })).data as unknown as { upstreams: { servers: ServerStatus[] }[] }
  return upstreams.flatMap(({ servers }) => servers).find((one) => one.id === id) as ServerStatus
}

async function words(made: Fake, id: string): Promise<string> {
  const { state, why } = await server(made, id)
  return `${state}: ${why}`
}

test('every verb answers what its schema says', async () => {
  const made = fake()
  const fields: Partial<Record<VerbName, object>> = {
    figures: { upstream: 'api' },
    add: { upstream: 'api', address: '127.0.0.1:9009', name: 'z' },
    drain: { server: 'api/z' },
    maint: { server: 'api/z' },
    ready: { server: 'api/z' },
    weight: { server: 'api/z', weight: '50%' },
    cut: { server: 'api/z' },
    wait: { server: 'api/z', condition: 'drained', timeoutMs: 0 },
    remove: { server: 'api/z' },
    tail: { limit: 1 },
    why: { id: 'r-1' },
  }
  const order: VerbName[] = [
    'status',
    'add',
    'workers',
    'figures',
    'sessions',
    'drain',
    'maint',
    'ready',
    'weight',
    'cut',
    'wait',
    'remove',
  ]
  for (const verb of [...order, ...(Object.keys(verbs) as VerbName[]).filter((name) => !order.includes(name))]) {
    const { error } = await say(made, { verb, ...fields[verb] })
    assert.equal(error, undefined, `${verb}: ${JSON.stringify(error)}`)
  }
})

test('a wrong request is told which field is wrong', async () => {
  const made = fake()
  const cases: [object, string][] = [
    [{ verb: 'drian', server: 'api/a' }, 'unknown-verb 2: there is no verb "drian", did you mean "drain"?'],
    [{ verb: 'drain' }, 'bad-request 2: drain: the field server is missing'],
    [{ verb: 'drain', server: 3 }, 'bad-request 2: drain: server must be string'],
    [{ verb: 'drain', sever: 'api/a' }, 'bad-request 2: drain: there is no field "sever", did you mean server?'],
    [{ verb: 'status', all: true }, 'bad-request 2: status: there is no field "all"; it takes none'],
    [
      { verb: 'wait', server: 'api/a', condition: 'drianed', timeoutMs: 1 },
      'bad-request 2: wait: condition must be one of drained, up, checked',
    ],
    [{ verb: 'wait', server: 'api/a', condition: 'up', timeoutMs: -1 }, 'bad-request 2: wait: timeoutMs must be >= 0'],
    [{ verb: 'drain', server: 'api/aa' }, 'unknown-name 2: there is no server "api/aa", did you mean "api/a"?'],
    [{ verb: 'drain', server: 'apo/a' }, 'unknown-name 2: there is no server "apo/a", did you mean "api/a"?'],
    [{ verb: 'drain', server: 'api/other' }, 'unknown-name 2: there is no server "api/other"; api has a, b, c'],
    [{ verb: 'drain', server: 'nothing/x' }, 'unknown-name 2: there is no upstream "nothing"; there is api, db'],
    [{ verb: 'drain', server: 'apia' }, 'unknown-name 2: "apia" names no server: write upstream/server, did you mean "api/a"?'],
    [{ verb: 'figures', upstream: 'dp' }, 'unknown-name 2: there is no upstream "dp", did you mean "db"?'],
  ]
  for (const [request, message] of cases) assert.equal(await errorOf(made, request), message)
})

test('drain, ready and maint say what they did, and do nothing twice', async () => {
  const made = fake()
  made.inFlight.set('api/a', 3)
  const drained = await change(made, { verb: 'drain', server: 'api/a' })
  assert.deepEqual([drained.changed, drained.dryRun, drained.what], [true, false, 'api/a is draining: 3 in flight'])
  assert.deepEqual([drained.servers[0]?.id, drained.servers[0]?.admin], ['api/a', 'drain'])
  const again = await change(made, { verb: 'drain', server: 'api/a' })
  assert.deepEqual([again.changed, again.what], [false, 'api/a is draining: 3 in flight'])
  const strict = await change(made, { verb: 'drain', server: 'api/a', strict: true })
  assert.equal(strict.changed, true, 'sticky users are moved now')
  assert.equal(made.table.get('api/a')?.record.isStrict, true)
  assert.equal((await change(made, { verb: 'maint', server: 'api/a' })).what, 'api/a is in maintenance: 3 in flight')
  assert.equal((await change(made, { verb: 'ready', server: 'api/a' })).what, 'api/a is ready')
  assert.equal((await change(made, { verb: 'ready', server: 'api/a' })).changed, false)
})

test('a dry run says what would be and changes nothing', async () => {
  const made = fake()
  const requests = [
    { verb: 'drain', server: 'api/a' },
    { verb: 'maint', server: 'api/a' },
    { verb: 'weight', server: 'api/a', weight: '50%' },
    { verb: 'remove', server: 'api/a' },
    { verb: 'add', upstream: 'api', address: '127.0.0.1:9009' },
  ]
  const version = made.table.version
  for (const request of requests) {
    const { changed, dryRun, what } = await change(made, { ...request, dryRun: true })
    assert.deepEqual([changed, dryRun], [false, true])
    assert.match(what, / would (be|have) /)
  }
  for (const request of [{ verb: 'cut', server: 'api/a' }, { verb: 'reload' }, { verb: 'stop' }])
    await say(made, { ...request, dryRun: true })
  assert.equal(made.table.version, version)
  assert.deepEqual(made.asked, ['reload'])
  assert.match((await change(made, { verb: 'ready', server: 'api/a', dryRun: true })).what, /^nothing to do: api\/a is ready/)
})

test('what would leave an upstream without a usable server is refused, also as a dry run', async () => {
  const made = fake()
  await change(made, { verb: 'maint', server: 'api/b' })
  const text = 'refused 5: api/a is the last usable server of api, and'
  const left = 'would leave no usable one: b is in maintenance, c is unknown; use --force to do it all the same'
  for (const dryRun of [false, true]) {
    const drain = { verb: 'drain', server: 'api/a', dryRun }
    assert.equal(await errorOf(made, drain), `${text} draining it ${left}`)
    assert.equal(await errorOf(made, { ...drain, verb: 'maint' }), `${text} maintenance ${left}`)
    assert.equal(await errorOf(made, { ...drain, verb: 'remove' }), `${text} removing it ${left}`)
    assert.equal(await errorOf(made, { ...drain, verb: 'weight', weight: '0' }), `${text} a weight of 0 ${left}`)
  }
  assert.match(
    await errorOf(made, { verb: 'drain', server: 'db/127.0.0.1:5432' }),
    /is the only server of db, and draining it would leave no server/,
  )
  assert.equal((await change(made, { verb: 'drain', server: 'api/c' })).changed, true, 'one that is not usable may go')
  assert.equal((await change(made, { verb: 'weight', server: 'api/a', weight: '1%' })).changed, true, 'little is enough')
  assert.equal((await change(made, { verb: 'drain', server: 'api/a', force: true })).changed, true)
})

test('a server without weight is none to rely on', async () => {
  const made = fake()
  await change(made, { verb: 'weight', server: 'api/b', weight: '0%' })
  assert.match(await errorOf(made, { verb: 'drain', server: 'api/a' }), /b is of weight 0, c is unknown/)
})

test('of two commands at once, the second one counts on what the first one leaves', async () => {
  for (const verb of ['drain', 'remove']) {
    const made = fake()
    const replies = await Promise.all([say(made, { verb, server: 'api/a' }), say(made, { verb, server: 'api/b' })])
    assert.deepEqual(
      replies.map(({ error }) => error?.code),
      [undefined, 'refused'],
      verb,
    )
  }
  const made = fake()
  const add = { verb: 'add', upstream: 'api', name: 'x' }
  const replies = await Promise.all([say(made, { ...add, address: '127.0.0.1:1' }), say(made, { ...add, address: '127.0.0.1:2' })])
  assert.deepEqual(
    replies.map(({ error }) => error?.message),
    [undefined, 'api/x is being added by another command at this moment'],
  )
})

test('a weight is a share of the configured one, or a number', async () => {
  const made = fake()
  const share = () => made.table.get('api/a')?.record.weightShare
  assert.equal((await change(made, { verb: 'weight', server: 'api/a', weight: '50%' })).what, 'api/a has 50% of its weight, 2 of 4')
  assert.equal(share(), 0.5)
  assert.equal((await change(made, { verb: 'weight', server: 'api/a', weight: '8' })).what, 'api/a has 200% of its weight, 8 of 4')
  assert.equal(share(), 2)
  assert.equal((await change(made, { verb: 'weight', server: 'api/a', weight: '100%' })).changed, true)
  assert.equal((await change(made, { verb: 'weight', server: 'api/a', weight: '4' })).changed, false)
  for (const weight of ['257', '-1', '1.5', 'x', '', '101%', '5 %'])
    assert.match(await errorOf(made, { verb: 'weight', server: 'api/a', weight }), /^bad-request 2: weight: expected a /)
})

test('a configured weight of 0 cannot be raised by a command', async () => {
  const made = fake(`
listeners: { web: { bind: "127.0.0.1:0", protocol: http, routes: [{ match: {}, upstream: api }] } }
upstreams: { api: { health: off, servers: [{ address: "127.0.0.1:1" }, { name: zero, address: "127.0.0.1:2", weight: 0 }] } }
`)
  for (const weight of ['50%', '3'])
    assert.match(
      await errorOf(made, { verb: 'weight', server: 'api/zero', weight }),
      /the configured weight of api\/zero is 0, which no command can raise/,
    )
  assert.equal((await change(made, { verb: 'weight', server: 'api/zero', weight: '0' })).dryRun, false)
})

test('a server that is added is as the config would make it', async () => {
  const made = fake()
  const text = (servers: string) => `
listeners: { web: { bind: "127.0.0.1:0", protocol: http, routes: [{ match: {}, upstream: api }] } }
upstreams: { api: { servers: [${servers}] } }
`
  const listed = configOf(
    text('"127.0.0.1:9009", { name: y, address: "unix:/run/y.sock", weight: 3, maxConnections: 9, backup: true }, "[::1]:9010"'),
  )
  await change(made, { verb: 'add', upstream: 'api', address: '127.0.0.1:9009' })
  await change(made, { verb: 'add', upstream: 'api', address: 'unix:/run/y.sock', name: 'y', weight: 3, maxConnections: 9, backup: true })
  await change(made, { verb: 'add', upstream: 'api', address: '[::1]:9010' })
  const added = made.operation.config().upstreams[0]?.servers.slice(-3)
  assert.deepEqual(added, listed.upstreams[0]?.servers)
  const add = { verb: 'add', upstream: 'api' }
  assert.match(await errorOf(made, { ...add, address: '127.0.0.1:9009' }), /api has a server 127.0.0.1:9009 already/)
  assert.match(
    await errorOf(made, { ...add, address: '127.0.0.1:1', name: 'a' }),
    /api has a server a already, at 127.0.0.1:9001; give it another name/,
  )
  assert.match(await errorOf(made, { ...add, address: '127.0.0.1' }), /^bad-request 2: address: expected an address: .*add the port/)
  assert.match(await errorOf(made, { ...add, address: '127.0.0.1:1', name: 'a b' }), /^bad-request 2: name: expected a name/)
  assert.match(await errorOf(made, { ...add, upstream: 'apx', address: '127.0.0.1:1' }), /did you mean "api"\?/)
})

test('the state of a server is told in words, with the reason', async () => {
  const made = fake()
  const now = machineMs()
  assert.equal(await words(made, 'api/a'), 'up: ')
  assert.equal(await words(made, 'api/c'), 'unknown: waits for its first check')
  made.table.setHealth('api/c', 'down', now)
  made.rows.set(
    'api/c',
    row('api/c', { ok: false, code: 'L4CON', reason: 'connection refused', streak: 4, checkedAt: now - 50, nextAt: now + 1_000 }),
  )
  assert.equal(await words(made, 'api/c'), 'down: L4CON connection refused, 4 bad checks')
  const { lastCheck, nextCheckMs, badChecks, goodChecks } = await server(made, 'api/c')
  assert.deepEqual([lastCheck?.code, lastCheck?.reason, badChecks, goodChecks], ['L4CON', 'connection refused', 4, 0])
  assert.ok(lastCheck !== null && lastCheck.agoMs >= 50 && nextCheckMs !== null && nextCheckMs <= 1_000)
  made.table.setHealth('api/c', 'up', now)
  made.table.setHealth('api/c', 'down', now, 'its agent says so')
  made.rows.set('api/c', row('api/c', { streak: 1 }))
  assert.equal(await words(made, 'api/c'), 'down: its agent says so; 1 good check since')
  made.table.setEjected('api/b', { isEjected: true, isProbing: false }, now, '5 requests in a row failed')
  assert.equal(await words(made, 'api/b'), 'ejected: 5 requests in a row failed')
  made.table.setEjected('api/b', { isEjected: false, isProbing: true }, now, 'its ejection is over')
  assert.equal(await words(made, 'api/b'), 'probing: one request at a time; its ejection is over')
  made.table.setEjected('api/b', { isEjected: false, isProbing: false }, now, 'it answered again')
  assert.match(await words(made, 'api/b'), /^warming: \d+(\.\d+)?% of its slow start is over$/)
  made.inFlight.set('api/a', 3)
  made.table.setAdmin('api/a', 'drain', now, 'by command')
  assert.equal(await words(made, 'api/a'), 'draining: 3 in flight; by command')
  made.inFlight.clear()
  assert.equal(await words(made, 'api/a'), 'drained: nothing in flight; by command')
  made.table.setAdmin('api/a', 'ready', now, 'by command')
  made.table.setSoftStop('api/a', true, now, 'its health check says so')
  assert.equal(await words(made, 'api/a'), 'drained: nothing in flight; its health check says so')
  assert.equal((await change(made, { verb: 'ready', server: 'api/a' })).what, 'api/a is ready, but asks itself to be drained')
  made.table.setAdmin('api/a', 'maint', now, 'by command')
  assert.equal(await words(made, 'api/a'), 'maint: by command')
})

test('counters of a server come from the board', async () => {
  const made = fake()
  const { exchanges, successes, failures, failedStatuses, firstByteUs, idle } = abi.serverCounter
  const values: [number, number][] = [
    [exchanges, 12],
    [successes, 8],
    [failures, 1],
    [failedStatuses, 2],
    [firstByteUs, 25_000],
    [idle, 5],
  ]
  for (const [counter, value] of values) made.counters.set(`api/a ${counter}`, value)
  const status = await server(made, 'api/a')
  assert.deepEqual(
    [status.exchanges, status.successes, status.failures, status.firstByteMeanMs, status.idleConnections],
    [12, 8, 3, 2.5, 5],
  )
  assert.equal((await server(made, 'api/b')).firstByteMeanMs, null)
})

test('figures give each bucket by its upper bound', async () => {
  const made = fake()
  const { servers } = (await say(made, { verb: 'figures', upstream: 'api' })).data as { servers: { id: string; firstByteCounts: object }[] }
  assert.deepEqual(
    servers.map(({ id }) => id),
    ['api/a', 'api/b', 'api/c'],
  )
  // Bucket 300 is the 44th of those that are 2 µs wide and begin at 256 µs.
  assert.deepEqual(servers[0]?.firstByteCounts, { 345: 2 })
})

test('sessions are listed with names, and counted', async () => {
  const made = fake()
  const tunnel = { client: '10.0.0.1:5', listener: 0, ageMs: 10, idleMs: 1, bytesSent: 3, bytesReceived: 4 }
  const slotOf = (id: string) => made.table.get(id)?.record.slot as number
  made.tunnels = Array.from({ length: 5 }, (_, i) => ({ worker: 1, tunnel: { ...tunnel, server: slotOf(i < 3 ? 'api/a' : 'api/b') } }))
  const all = (await say(made, { verb: 'sessions', most: 2 })).data as { sessions: { server: string; listener: string }[]; total: number }
  assert.deepEqual([all.sessions.length, all.total, all.sessions[0]?.server, all.sessions[0]?.listener], [2, 5, 'api/a', 'web'])
  const some = (await say(made, { verb: 'sessions', server: 'api/b' })).data as { sessions: object[]; total: number }
  assert.deepEqual([some.sessions.length, some.total], [2, 2])
})

test('a fault of our own is an answer, and is logged for a change', async () => {
  const made = fake()
  made.operation.reload = async () => {
    throw new Error('oh')
  }
  assert.equal(await errorOf(made, { verb: 'reload' }), 'failed 1: oh')
  assert.deepEqual(made.lines, ['control: reload (pid 1, uid 0): failed: oh'])
})
