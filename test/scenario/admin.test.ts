// The HTTP interface of a running balancer: who may ask for what, and what commands over it do.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LiveView } from '../../src/shared/statistics/live.ts'
import { adminUrl } from './lib/admin.ts'
import { runToEnd, startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { command } from './lib/command.ts'
import { config } from './lib/config.ts'
import { startServer } from './lib/server.ts'
import { folderFor } from './lib/tools.ts'
import { until } from './lib/wait.ts'

const token = 'operate-operate-operate'

test('with a token from a file the interface operates weir, for those who show it', async (t) => {
  const servers = await Promise.all(['a', 'b'].map((name) => startServer(t, (_req, res) => void res.end(name), { name })))
  const tokenFile = join(folderFor(t, 'token'), 'token')
  writeFileSync(tokenFile, `${token}\n`)
  const admin = { bind: '0.0.0.0:0', tokenFile, viewToken: 'view-view-view-view-view' }
  const named = servers.map(({ name, address }) => ({ name, address }))
  const weir = await startBalancer(t, config({ servers: named, top: { admin } }), { workers: 2 })
  const url = adminUrl(weir).replace('0.0.0.0', '127.0.0.1')
  const bearer = (text: string) => ({ authorization: `Bearer ${text}`, 'content-type': 'application/json' })
  const get = async (path: string, headers = {}) => (await fetch(`${url}${path}`, { headers })).status
  const drain = (headers: Record<string, string>) => fetch(`${url}/api/drain`, { method: 'POST', headers, body: '{"server":"app/a"}' })

  assert.deepEqual([await get('/ready'), await get('/live'), await get('/')], [200, 200, 200])
  assert.deepEqual([await get('/metrics'), await get('/api/status'), await get('/api/live/stream')], [401, 401, 401])
  assert.deepEqual([await get('/metrics', bearer(admin.viewToken)), await get('/api/live', bearer(admin.viewToken))], [200, 200])
  assert.deepEqual([(await drain({})).status, (await drain(bearer(admin.viewToken))).status], [401, 409])

  const login = await fetch(`${url}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  })
  const cookie = String(login.headers.get('set-cookie')).split(';')[0] as string
  const events = await fetch(`${url}/api/live/stream?window=10s`, { headers: { cookie } })
  const reader = (events.body as ReadableStream<Uint8Array>).getReader()
  t.after(() => reader.cancel().catch(() => undefined))
  const views = viewsOf(reader)
  assert.equal((await views.next()).value?.upstreams[0]?.servers[0]?.state, 'up')

  for (let i = 0; i < 10; i++) await ask(t, weir.port())
  const drained = (await (await drain(bearer(token))).json()) as { schema: string; data: { changed: boolean } }
  assert.deepEqual([drained.schema, drained.data.changed], ['weir.drain/1', true])
  const startMs = performance.now()
  await until(async () => (await views.next()).value?.upstreams[0]?.servers[0]?.state === 'drained')
  assert.ok(performance.now() - startMs < 2_500, 'the stream shows it')
  for (let i = 0; i < 10; i++) assert.equal((await ask(t, weir.port())).text, 'b')
  assert.match(weir.log(), /control: drain app\/a \(HTTP from 127\.0\.0\.1\): changed/)
  assert.ok(!weir.log().includes(token))

  await until(async () => (await command(weir, 'status')).stdout.includes('OVERHEAD P99'))
  const { stdout: text } = await command(weir, 'status')
  assert.match(text, /^last minute: p50 .*, p99 .*, of which weir itself p99 /m)
})

async function* viewsOf(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<LiveView> {
  let text = ''
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += Buffer.from(part.value).toString()
    const events = text.split('\n\n')
    text = events.pop() as string
    for (const event of events) yield JSON.parse(event.slice(event.indexOf('data: ') + 6)) as LiveView
  }
}

test('an address that others reach needs a token, and a plan never shows one', async (t) => {
  const { code, stderr } = await runToEnd(t, config({ servers: ['127.0.0.1:1'], top: { admin: { bind: ':9900' } } }))
  assert.equal(code, 1)
  assert.match(stderr, /admin\.bind: expected a loopback address, found ":9900".*\n/)
  const weir = await startBalancer(t, config({ servers: ['127.0.0.1:1'], top: { admin: { bind: '127.0.0.1:0', token } } }))
  writeFileSync(
    weir.configFile,
    JSON.stringify({ ...config({ servers: ['127.0.0.1:1'] }), admin: { bind: '127.0.0.1:0', token: `${token}-2` } }),
  )
  const { stdout } = await command(weir, 'plan')
  assert.match(stdout, /admin.*token changed/)
  assert.ok(!stdout.includes(token), stdout)
})
