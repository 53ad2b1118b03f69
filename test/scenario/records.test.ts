// What is kept of each request and connection, read back while others write it: as it was sent and measured, whoever was killed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { type Client, connect } from './lib/client.ts'
import { file } from './lib/file-scope.ts'
import { waitForEnd } from './lib/processes.ts'
import { rawServer } from './lib/raw-server.ts'
import { recordsOf } from './lib/record-lines.ts'
import { startServer } from './lib/server.ts'
import { type Scope, until } from './lib/wait.ts'

const app = await startServer(file, (_req, res) => void res.end('fine'), { name: 'app' })
const gone = await startServer(file, () => undefined)
const deadAddress = gone.address
await gone.close()
const ill = await startServer(file, (_req, res) => void res.writeHead(503).end())
const silent = await rawServer(file, async (socket) => void (await socket.readHead()))
const talker = await rawServer(file, async (socket) => {
  await socket.readBytes(5)
  socket.end('goodbye')
})
const weir = await startBalancer(
  file,
  {
    workers: 2,
    listeners: {
      web: {
        bind: '127.0.0.1:0',
        routes: [
          { match: { path: '/app/' }, upstream: 'app' },
          { match: { path: '=/flaky' }, upstream: 'flaky' },
          { match: { path: '=/ill' }, upstream: 'ill' },
          { match: { path: '=/silent' }, upstream: 'silent' },
        ],
      },
      raw: { bind: '127.0.0.1:0', protocol: 'tcp', upstream: 'talker' },
    },
    upstreams: {
      app: { servers: [{ name: 'a', address: app.address }] },
      flaky: {
        servers: [
          { name: 'dead', address: deadAddress },
          { name: 'alive', address: app.address },
        ],
        balance: 'first',
      },
      ill: {
        servers: [
          { name: 'ill', address: ill.address },
          { name: 'well', address: app.address },
        ],
        balance: 'first',
        health: 'off',
        retry: { statuses: 503 },
      },
      silent: { servers: [{ name: 's', address: silent.address }] },
      talker: { servers: [{ name: 't', address: talker.address }] },
    },
    shutdown: { grace: '1s' },
  },
  { losesProcesses: true },
)
const records = recordsOf(file, weir, {
  listeners: ['web', 'raw'],
  routes: ['app', 'flaky', 'ill', 'silent'],
  servers: ['app/a', 'flaky/dead', 'flaky/alive', 'ill/ill', 'ill/well', 'silent/s', 'talker/t'],
})
const asUtf8 = (latin1: string) => Buffer.from(latin1, 'latin1').toString('utf8')

function headOf(target: string, userAgent: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: test\r\nUser-Agent: ${userAgent}\r\n\r\n`
}

async function answered(scope: Scope, head: string): Promise<{ client: Client; status: number }> {
  const client = await connect(scope, weir.port())
  client.send(head)
  const { status } = await client.readResponse()
  return { client, status }
}

test('a record holds what client and server saw, and times that fit into what the client measured', async (t) => {
  const client = await connect(t, weir.port())
  const body = 'x'.repeat(5000)
  const began = Date.now()
  const started = performance.now()
  client.request(
    'POST /app/a%20b?q=1&token=secret',
    { 'Content-Length': '5000', Referer: 'http://x/?token=secret', 'User-Agent': 'u/1' },
    body,
  )
  assert.equal((await client.readResponse()).text, 'fine')
  const measuredUs = (performance.now() - started) * 1000
  const [record] = await records.next()
  assert.ok(record)
  const { time, worker, firstByteUs, connectUs, totalUs, overheadUs, requestId, ...told } = record
  assert.deepEqual(told, {
    kind: 'exchange',
    client: '127.0.0.1',
    peer: `127.0.0.1:${client.socket.localPort}`,
    listener: 'web',
    method: 'POST',
    host: 'test',
    path: '/app/a%20b',
    query: 'q=1&token=redacted',
    protocol: 'HTTP/1.1',
    status: 200,
    termination: 'ok',
    route: 'app',
    upstream: 'app',
    server: 'a',
    attempts: 1,
    bytesIn: client.socket.bytesWritten,
    bytesOut: client.socket.bytesRead,
    referer: 'http://x/?token=redacted',
    userAgent: 'u/1',
  })
  const ended = Date.parse(time as string)
  assert.ok(ended >= began - 1 && ended <= Date.now() + 1, `it ended at ${time}`)
  assert.ok([1, 2].includes(worker), `worker ${worker}`)
  assert.ok(totalUs > 0 && totalUs <= measuredUs, `${totalUs} of ${measuredUs} us`)
  for (const part of [firstByteUs, connectUs, overheadUs] as number[]) assert.ok(part > 0 && part <= totalUs, `${part} of ${totalUs} us`)
  client.request('GET /app/')
  await client.readResponse()
  const [second] = await records.next()
  assert.equal(second?.['isReused'], true)
  assert.equal(second?.['connectUs'], undefined)
})

test('whatever bytes of a client are let through, its record is JSON that says what was sent', async (t) => {
  const odd = '"\\|{}^`<>;'
  const cases = [
    ...["/app/~!$&'()*+,;=:@|", `/app/?a=${odd}`, '/app/%e9%ff%1b[2J?%c3%28'].map((target) => ({ target, agent: odd })),
    ...['\xff\xfe \x80\x9b31m \xf0\x9f\x8c\x8a \xc3', '\t"tab"\t\\', '","status":200,"x":"', '\xe2\x80\xae\xed\xa0\x80\xc2\x85'].map(
      (agent) => ({ target: '/app/', agent }),
    ),
  ]
  for (const { target, agent } of cases) {
    const { status } = await answered(t, headOf(target, agent))
    const [record] = await records.next()
    assert.deepEqual([status, record?.status], [200, 200], target)
    const [path, query] = target.split('?')
    assert.equal(record?.['path'], path)
    assert.equal(record?.['query'], query)
    assert.equal(record?.['userAgent'], asUtf8(agent.trim()))
  }
})

test('a head that is refused leaves a record of that, without its texts', async (t) => {
  const refused = ['/app/"', '/app/\\', '/app/\xc3\xa9', '/app/\x7f', '/app/\x00'].map((target) => headOf(target, 'a'))
  for (const head of [...refused, headOf('/app/', '\x1b[2J')]) {
    const { status } = await answered(t, head)
    const [record] = await records.next()
    assert.deepEqual([status, record?.status, record?.termination], [400, 400, 'bad_request'], JSON.stringify(head))
    assert.deepEqual([record?.['path'], record?.['userAgent'], record?.['server']], [undefined, undefined, undefined])
  }
})

test('long paths are cut, and those that are too long are told by their status', async (t) => {
  const long = `/app/${'p'.repeat(10_000)}`
  await answered(t, `GET ${long} HTTP/1.1\r\nHost: test\r\n\r\n`)
  const [record] = await records.next()
  assert.equal(record?.['path'], long.slice(0, 8192))
  const { status } = await answered(t, `GET /${'p'.repeat(1 << 20)} HTTP/1.1\r\nHost: test\r\n\r\n`)
  const [refused] = await records.next()
  assert.equal(refused?.status, status)
  assert.equal(refused?.termination, 'header_too_large')
})

test('an attempt that failed is listed, and so is who answered in the end', async (t) => {
  const { status } = await answered(t, 'GET /flaky HTTP/1.1\r\nHost: test\r\n\r\n')
  const [record] = await records.next()
  assert.equal(status, 200)
  assert.equal(record?.['server'], 'alive')
  assert.equal(record?.['attempts'], 2)
  const [failed, ...more] = record?.['failedAttempts'] as { atUs: number }[]
  assert.equal(more.length, 0)
  const { atUs, ...why } = failed as { atUs: number }
  assert.deepEqual(why, { server: 'flaky/dead', reason: 'connect', error: 'ECONNREFUSED' })
  assert.ok(atUs <= (record?.totalUs ?? 0), `${atUs} of ${record?.totalUs} us`)
})

test('a response that was not given to the client is listed with its status', async (t) => {
  const { status } = await answered(t, 'GET /ill HTTP/1.1\r\nHost: test\r\n\r\n')
  const [record] = await records.next()
  assert.deepEqual([status, record?.status, record?.['server']], [200, 200, 'well'])
  const attempts = (record?.['failedAttempts'] as { atUs: number }[]).map(({ atUs: _, ...why }) => why)
  assert.deepEqual(attempts, [{ server: 'ill/ill', reason: 'status', status: 503 }])
})

test('a request without a route and one whose client went away say how they ended', async (t) => {
  await answered(t, 'GET /nowhere HTTP/1.1\r\nHost: test\r\n\r\n')
  const [lost] = await records.next()
  assert.deepEqual([lost?.status, lost?.termination, lost?.['route'], lost?.['server']], [404, 'no_route', undefined, undefined])
  const client = await connect(t, weir.port())
  client.request('GET /silent')
  await until(() => silent.heads.length === 1)
  client.reset()
  const [left] = await records.next()
  assert.deepEqual([left?.status, left?.termination, left?.['upstream']], [0, 'client_abort', 'silent'])
})

test('a connection that was passed through says what it carried', async (t) => {
  const client = await connect(t, weir.port('raw'))
  const { localPort } = client.socket
  client.send('hello')
  assert.equal((await client.reader.takeRest(5_000)).toString(), 'goodbye')
  client.end()
  const [record] = await records.next()
  const { kind, protocol, listener, upstream, server, bytesIn, bytesOut, termination, peer } = record as Record<string, unknown>
  assert.deepEqual(
    { kind, protocol, listener, upstream, server, bytesIn, bytesOut, termination, peer },
    {
      kind: 'tunnel',
      protocol: 'tcp',
      listener: 'raw',
      upstream: 'talker',
      server: 't',
      bytesIn: 5,
      bytesOut: 7,
      termination: 'ok',
      peer: `127.0.0.1:${localPort}`,
    },
  )
})

test('the records of a killed worker are still there, and its successor goes on behind them', async (t) => {
  const before = records.all()
  const send = async (count: number, name: string) => {
    for (let i = 0; i < count; i++) await answered(t, `GET /app/${name}-${i} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`)
  }
  await send(20, 'before')
  // A response may be here before its record is.
  const firstPaths = (await records.next(20)).map(({ path }) => path as string)
  const victim = weir.workerPids()[0] as number
  process.kill(victim, 'SIGKILL')
  waitForEnd(victim)
  await until(() => / ready\b/.test(weir.log()) && weir.workerPids().length === 2 && !weir.workerPids().includes(victim))
  await until(() => /starting -> ready/.test(weir.log()), { within: 20_000, what: 'its successor is ready' })
  await send(20, 'after')
  const paths = (await records.next(20)).map(({ path }) => path as string)
  const expected = ['before', 'after'].flatMap((name) => Array.from({ length: 20 }, (_, i) => `/app/${name}-${i}`))
  assert.deepEqual([...firstPaths, ...paths].sort(), expected.sort())
  assert.equal(records.all().length, before.length + 40)
  assert.deepEqual(records.counts(), { lost: 0, read: before.length + 40 })
})
