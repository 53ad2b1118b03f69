// The access log: what a line says, and that none is lost or broken when files are rotated, readers stop, or processes end.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stringify } from 'yaml'
import type { RecordLine } from '../../src/shared/records/record-line.ts'
import { type Balancer, rewriteConfig, runToEnd, startBalancer } from './lib/balancer.ts'
import { ask, connect, headerOf } from './lib/client.ts'
import { command } from './lib/command.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { freePort } from './lib/listening.ts'
import { startServer } from './lib/server.ts'
import { folderFor } from './lib/tools.ts'
import { inTime, type Scope, until } from './lib/wait.ts'

const folder = folderFor(file, 'access')
const server = await startServer(file, (req, res) => void res.writeHead(req.url === '/500' ? 500 : 200).end('fine'))
const nobody = `127.0.0.1:${await freePort()}`

function settings(access: unknown, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    ...config({
      servers: [
        { name: 'gone', address: nobody },
        { name: 'there', address: server.address },
      ],
      upstream: { balance: 'first' },
      listener: {
        routes: [
          { match: { path: '=/none' }, answer: { status: 204 } },
          { match: {}, upstream: 'app' },
        ],
      },
    }),
    log: { access },
    ...more,
  }
}

const textOf = (path: string) => readFileSync(path, 'utf8')
const linesOf = (path: string) => textOf(path).split('\n').slice(0, -1)
const recordsOf = (path: string) => linesOf(path).map((line) => JSON.parse(line) as RecordLine)
const pathsOf = (records: RecordLine[]) => records.map(({ path = '' }) => path)

/** The line of a request, by its path. */
async function recordOf(log: string, path: string): Promise<RecordLine> {
  return until(() => recordsOf(log).find((record) => record.path === path), { what: `a line for ${path}` })
}

/** Requests on one connection: `/PREFIX0`, `/PREFIX1`, … as fast as they are answered. */
async function load(scope: Scope, weir: Balancer, prefix: string, count: number): Promise<string[]> {
  const client = await connect(scope, weir.port())
  const paths = Array.from({ length: count }, (_, i) => `/${prefix}${i}`)
  for (const path of paths) {
    client.request(`GET ${path}`)
    await client.readResponse()
  }
  client.socket.destroy()
  return paths
}

const log = join(folder, 'shared.log')
const weir = await startBalancer(file, settings({ to: log, headers: ['X-User', 'Authorization', 'Cookie'] }), { workers: 2 })

test('a line says who asked for what, how it ended, where it went, and what took how long', async (t) => {
  const response = await ask(t, weir.port(), 'GET /one?a=1&token=hunter2', {
    ...{ Host: 'shop.example', 'User-Agent': 'test/1', 'X-User': 'ada', Authorization: 'Bearer hunter2', Cookie: 'sid=hunter2' },
  })
  assert.equal(response.status, 200)
  const record = await recordOf(log, '/one')
  const { time, requestId, totalUs, overheadUs, firstByteUs, failedAttempts, bytesIn, bytesOut, ...rest } = record
  assert.deepEqual(rest, {
    ...{ client: '127.0.0.1', listener: 'web', method: 'GET', host: 'shop.example', query: 'a=1&token=redacted', path: '/one' },
    ...{ protocol: 'HTTP/1.1', status: 200, termination: 'ok', upstream: 'app', server: 'there', attempts: 2, userAgent: 'test/1' },
    headers: { 'x-user': 'ada', authorization: 'redacted', cookie: 'redacted' },
    ...(rest.route === undefined ? {} : { route: rest.route }),
    ...(rest.connectUs === undefined ? {} : { connectUs: rest.connectUs }),
    ...(rest.queueUs === undefined ? {} : { queueUs: rest.queueUs }),
    ...(rest.isReused === undefined ? {} : { isReused: rest.isReused }),
  })
  assert.deepEqual(
    failedAttempts?.map(({ server, reason, error }) => [server, reason, error]),
    [['app/gone', 'connect', 'ECONNREFUSED']],
  )
  assert.ok(Math.abs(Date.parse(time ?? '') - Date.now()) < 10_000, time)
  assert.equal(server.seen.at(-1)?.headers['x-request-id'], requestId)
  assert.ok((totalUs ?? 0) > 0 && (overheadUs ?? -1) >= 0 && (overheadUs ?? 0) <= (totalUs ?? 0) && (firstByteUs ?? 0) > 0)
  assert.ok((bytesIn ?? 0) > 100 && (bytesOut ?? 0) > 50)
  assert.equal(statSync(log).mode & 0o777, 0o640)
  assert.doesNotMatch(textOf(log), /hunter2/)
})

test('what a client sends cannot break a line', async (t) => {
  const client = await connect(t, weir.port())
  const odd = '/odd"\\%0a\xff\xfe\u{9b}é'
  client.request(`GET ${odd}`, { 'X-User': 'tab\there "quoted" \x85\xc3\x28', 'User-Agent': `long ${'x'.repeat(6_000)}` })
  await client.readResponse().catch(() => undefined)
  await load(t, weir, 'after', 1)
  await recordOf(log, '/after0')
  // Characters that do something to a terminal or to the form of the file.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  assert.doesNotMatch(textOf(log), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/)
  for (const line of linesOf(log)) assert.doesNotThrow(() => JSON.parse(line), line.slice(0, 200))
})

test('an answer of weir itself and a failing server have their lines, too', async (t) => {
  await ask(t, weir.port(), 'GET /none')
  assert.deepEqual([(await recordOf(log, '/none')).status, (await recordOf(log, '/none')).server], [204, undefined])
  await ask(t, weir.port(), 'GET /500')
  const record = await recordOf(log, '/500')
  assert.deepEqual([record.status, record.termination, record.server], [500, 'ok', 'there'])
})

test('rename and USR1 lose no line and repeat none, and nothing lands in the old file afterwards', async (t) => {
  const moved = [1, 2, 3].map((i) => `${log}.${i}`)
  let isOver = false
  const sent: string[] = []
  const lanes = ['r', 's'].map(async (lane) => {
    for (let turn = 0; !isOver; turn++) sent.push(...(await load(t, weir, `${lane}${turn}-`, 50)))
  })
  for (const [i, name] of moved.entries()) {
    const before = sent.length
    await until(() => sent.length > before + 100, { within: 10_000 })
    renameSync(log, name)
    process.kill(weir.pid, 'SIGUSR1')
    await until(() => weir.log().split(`reopened ${log}`).length === i + 2)
  }
  const before = sent.length
  await until(() => sent.length > before + 100)
  const oldSize = statSync(`${log}.3`).size
  isOver = true
  await Promise.all(lanes)
  const all = () => [...moved, log].flatMap((name) => pathsOf(recordsOf(name))).filter((path) => /^\/[rs]\d/.test(path))
  await until(() => all().length >= sent.length, { what: 'every line' })
  assert.deepEqual(all().toSorted(), sent.toSorted())
  assert.equal(statSync(`${log}.3`).size, oldSize)
})

test('copy and truncate goes on at the beginning of the file', async (t) => {
  await load(t, weir, 'c', 20)
  await recordOf(log, '/c19')
  copyFileSync(log, `${log}.copy`)
  truncateSync(log)
  const sent = await load(t, weir, 'd', 20)
  await recordOf(log, '/d19')
  assert.deepEqual(pathsOf(recordsOf(log)), sent)
  assert.doesNotMatch(textOf(log), /\0/)
})

test('a reload changes where and how it is written without losing a line, and refuses what cannot be opened', async (t) => {
  const other = join(folder, 'other.log')
  const reload = async (access: unknown) => {
    rewriteConfig(weir, { ...settings(access), workers: 2, shutdown: { spread: '0s' } })
    return command(weir, 'reload')
  }
  const sent = await load(t, weir, 'e', 30)
  assert.equal((await reload({ to: other, fields: ['path', 'status'] })).code, 0)
  sent.push(...(await load(t, weir, 'f', 30)))
  await until(() => pathsOf(recordsOf(other)).includes('/f29'))
  const both = [...pathsOf(recordsOf(log)), ...pathsOf(recordsOf(other))].filter((path) => /^\/[ef]/.test(path))
  assert.deepEqual(both.toSorted(), sent.toSorted())
  assert.equal(linesOf(other).at(-1), '{"path":"/f29","status":200}')

  const refused = await reload(join(folder, 'none', 'a.log'))
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /the access log \S+none\/a\.log cannot be opened: its folder does not exist/)
  await load(t, weir, 'g', 1)
  await recordOf(other, '/g0')

  assert.equal((await reload({ to: other, format: 'combined' })).code, 0)
  await ask(t, weir.port(), 'GET /h?code=1', { 'User-Agent': 'ua "x"', Referer: 'http://r/' })
  const combined = await until(() => linesOf(other).find((line) => line.includes('GET /h')))
  assert.match(
    combined,
    /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/h\?code=redacted HTTP\/1\.1" 200 \d+ "http:\/\/r\/" "ua \\"x\\""$/,
  )
  assert.equal((await reload('off')).code, 0)
  const size = statSync(other).size
  await load(t, weir, 'i', 5)
  // What comes later is in the next log: so nothing of that is still on its way to the old one.
  const next = join(folder, 'next.log')
  assert.equal((await reload(next)).code, 0)
  await load(t, weir, 'j', 1)
  await recordOf(next, '/j0')
  assert.equal(statSync(other).size, size)
})

test('a path that cannot be opened ends the start with file and reason; check warns of it', async (t) => {
  const wrong = settings(join(folder, 'nowhere', 'a.log'))
  const { code, stderr } = await runToEnd(t, wrong)
  assert.equal(code, 1)
  assert.match(stderr, /the access log \S+nowhere\/a\.log cannot be opened: its folder does not exist/)
  const path = join(folder, 'wrong.yaml')
  writeFileSync(path, stringify(wrong))
  assert.match((await command({ folder }, 'check', path)).stderr, /warning: \S+nowhere does not exist: weir cannot start with this/)
})

test('what a killed worker had written, and what came just before the stop, is in the log', async (t) => {
  const path = join(folder, 'killed.log')
  const own = await startBalancer(t, settings(path), { workers: 2, losesProcesses: true })
  const sent: string[] = []
  for (let i = 0; i < 3; i++) {
    sent.push(...(await load(t, own, `k${i}-`, 40)))
    const killed = own.workerPids()[0] as number
    process.kill(killed, 'SIGKILL')
    await until(() => own.workerPids().length === 2 && !own.workerPids().includes(killed), { within: 10_000, what: 'another worker' })
  }
  sent.push(...(await load(t, own, 'last', 40)))
  await own.stop()
  assert.deepEqual(pathsOf(recordsOf(path)).toSorted(), sent.toSorted())
})

test('standard output: lines go there, whole', async (t) => {
  const own = await startBalancer(t, settings('stdout'), { workers: 1 })
  await load(t, own, 'out', 200)
  const lines = await until(() => {
    const found = own
      .stdout()
      .split('\n')
      .filter((line) => line.startsWith('{'))
    return found.length >= 200 ? found : null
  })
  assert.equal(lines.length, 200)
  for (const line of lines) JSON.parse(line)
})

test('a pipe that nobody reads slows nothing; what is lost is told, and the stop does not wait for it', async (t) => {
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const own = await startBalancer(t, settings({ to: pipe, headers: ['X-User'] }), { workers: 1, env: {} })
  const begun = performance.now()
  const lanes = Array.from({ length: 4 }, async () => {
    const client = await connect(t, own.port())
    for (let i = 0; i < 500; i++) {
      client.request('GET /', { 'X-User': 'u'.repeat(4_000) })
      await client.readResponse()
    }
  })
  await inTime(Promise.all(lanes), { within: 20_000, what: 'all answers' })
  t.diagnostic(`2,000 requests in ${Math.round(performance.now() - begun)} ms`)
  await until(() => /access log \S+pipe: nobody reads what is written there/.test(own.log()), { within: 10_000 })
  const { code } = await own.stop()
  assert.equal(code, 0)
})

test('every answer of weir with an error can be asked about', async (t) => {
  const response = await ask(t, weir.port(), 'GET /none')
  assert.equal(response.status, 204)
  const own = await startBalancer(t, { ...config({ servers: [nobody] }) })
  const failed = await ask(t, own.port())
  assert.ok(failed.status >= 500)
  assert.match(headerOf(failed, 'x-request-id') ?? '', /^[0-9a-f]{16,}$/)
})
