// What scrapers read is what happened, in the form that they demand, and reading it costs nobody else anything.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { LiveView } from '../../src/shared/statistics/live.ts'
import { adminUrl, post, scrape } from './lib/admin.ts'
import { type Balancer, startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { config } from './lib/config.ts'
import { fillBoard } from './lib/full-board.ts'
import { freePort } from './lib/listening.ts'
import { loopDelay } from './lib/loop-delay.ts'
import { startServer } from './lib/server.ts'
import { needsTools, outputOf } from './lib/tools.ts'
import { until } from './lib/wait.ts'

const admin = { bind: '127.0.0.1:0' }

/** Requests in lanes that end when all were answered. */
async function send(t: Parameters<typeof ask>[0], weir: Balancer, count: number, path = '/'): Promise<void> {
  for (let sent = 0; sent < count; sent += 20)
    await Promise.all(Array.from({ length: Math.min(20, count - sent) }, () => ask(t, weir.port(), `GET ${path}`)))
}

test('counters and histograms say what clients and servers saw, also after a worker was killed', async (t) => {
  const server = await startServer(
    t,
    (req, res) => void setTimeout(() => res.writeHead(req.url === '/bad' ? 503 : 200).end('fine'), req.url === '/slow' ? 60 : 0),
  )
  const routes = [
    { match: { path: '/slow' }, upstream: 'app' },
    { match: { path: '/api/' }, upstream: 'app' },
    { match: { path: '/bad' }, upstream: 'app' },
  ]
  const weir = await startBalancer(
    t,
    config({ servers: [{ name: 'a"b', address: server.address }], listener: { routes }, top: { admin } }),
    {
      workers: 2,
      losesProcesses: true,
    },
  )
  await send(t, weir, 100, '/api/x')
  await send(t, weir, 20, '/slow')
  await send(t, weir, 7, '/bad')
  await send(t, weir, 5, '/nowhere')
  const app = { upstream: 'app', server: 'a"b' }
  const route = (name: string) => ({ listener: 'web', route: name })
  await until(async () => (await scrape(weir)).value('weir_requests_total', { ...route('/api/'), code_class: '2xx' }) === 100)
  const seen = await scrape(weir)
  assert.equal(seen.value('weir_requests_total', { ...route('/bad'), code_class: '5xx' }), 7)
  assert.equal(seen.value('weir_requests_total', { ...route('none'), code_class: '4xx' }), 5)
  assert.equal(seen.value('weir_request_duration_seconds_count', route('/api/')), 100)
  assert.equal(seen.value('weir_proxy_overhead_seconds_count', route('/api/')), 100)
  assert.equal(seen.value('weir_request_queue_wait_seconds_count', route('/slow')), 20)
  assert.equal(seen.value('weir_server_responses_total', { ...app, code_class: '2xx' }), 120)
  assert.equal(seen.value('weir_server_response_seconds_count', app), 127)
  assert.equal(seen.value('weir_upstream_queue_wait_seconds_count', { upstream: 'app' }), 127)
  assert.equal(seen.value('weir_termination_total', { reason: 'no_route' }), 5)
  const slow = seen.buckets('weir_server_first_byte_seconds', app)
  assert.ok((slow.get('+Inf') as number) - (slow.get('0.05') as number) >= 20, 'the slow ones took more than 50 ms')
  const { text } = await scrape(weir, { accept: 'application/openmetrics-text' })
  assert.ok(text.endsWith('# EOF\n'))

  process.kill(weir.workerPids()[0] as number, 'SIGKILL')
  await until(
    async () =>
      (await scrape(weir)).value('weir_worker_restarts_total', { worker: '1' }) +
        (await scrape(weir)).value('weir_worker_restarts_total', { worker: '2' }) ===
      1,
    { within: 10_000 },
  )
  await send(t, weir, 40, '/api/x')
  await until(async () => (await scrape(weir)).value('weir_requests_total', { ...route('/api/'), code_class: '2xx' }) === 140)
  const { rates, terminations, routes: live } = await post<LiveView>(weir, 'live', { window: '1m' })
  assert.ok(rates.requestsPerSecond > 0 && rates.errorShare > 0 && rates.errorShare < 0.2, JSON.stringify(rates))
  assert.equal(terminations['no_route'], 5)
  const total = live.find(({ name }) => name === '/slow')?.latency.total
  assert.ok(total && total.count === 20 && total.p50 >= 58_000 && total.p50 < 500_000, JSON.stringify(total))

  const tools = needsTools(t, ['promtool'])
  if (tools !== undefined) assert.equal(await outputOf(tools.promtool, ['check', 'metrics'], (await scrape(weir)).text), '')
})

test('with 1,000 servers the primary never stands still for 20 ms, whoever scrapes how', { timeout: 120_000 }, async (t) => {
  const server = await startServer(t, (_req, res) => void res.end('fine'))
  const unused = await freePort()
  const servers = Array.from({ length: 999 }, (_, i) => ({ name: `s${i}`, address: `127.0.0.1:${unused}`, backup: true }))
  const delay = loopDelay(t)
  const weir = await startBalancer(t, config({ servers: [server.address, ...servers], top: { admin } }), { workers: 2, env: delay.env })
  fillBoard(weir.pid, { columns: 2, servers: 1_000 })
  const first = await scrape(weir)
  assert.equal(first.families.get('weir_server_up')?.samples.length, 1_000)
  assert.ok(first.value('weir_server_response_seconds_count', { upstream: 'app', server: 's998' }) > 0)

  const url = new URL(adminUrl(weir))
  // They ask and never read.
  const hanging = Array.from({ length: 8 }, () => connect(Number(url.port), url.hostname))
  t.after(() => hanging.forEach((socket) => void socket.destroy()))
  for (const socket of hanging) socket.on('error', () => undefined).write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n')
  let answered = 0
  const crowdOf = async () => {
    const crowd = Array.from({ length: 16 }, () => fetch(`${url.origin}/metrics`).then((response) => response.arrayBuffer()))
    crowd.push(...['live?window=1m', 'status'].map((path) => fetch(`${url.origin}/api/${path}`).then((response) => response.arrayBuffer())))
    const done = Promise.all(crowd)
    for (let i = 0; i < 20; i++) answered += (await ask(t, weir.port())).status === 200 ? 1 : 0
    assert.ok((await done).every((bytes) => bytes.byteLength > 100_000))
  }
  // Code that runs for the first time is compiled meanwhile; and a hypervisor may take the processor away, which looks like work.
  await crowdOf()
  const tries: number[][] = []
  while (tries.length < 3 && !tries.some((longest) => Math.max(...longest) < 20)) {
    const begun = delay.longest().length
    for (let round = 0; round < 3; round++) await crowdOf()
    await until(() => delay.longest().length >= begun + 4, { within: 20_000 })
    tries.push(delay.longest().slice(begun + 1))
  }
  assert.equal(answered, 20 + tries.length * 60, 'traffic is served meanwhile')
  assert.ok(
    Math.max(...(tries.at(-1) ?? [])) < 20,
    `milliseconds: ${tries.map((longest) => longest.map((ms) => ms.toFixed(1)).join(' ')).join('; ')}`,
  )
})
