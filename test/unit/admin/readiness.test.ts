import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { openAdmin } from '../../../src/primary/admin/server.ts'
import { fake } from '../control/fixtures.ts'
import { opened, token } from './lib/opened.ts'

test('readiness is asked for each time, by anybody, by any name', async (t) => {
  const weir = await opened(t, { token })
  weir.ready = { isReady: false, why: 'starting' }
  const unready = await weir.ask('/ready')
  assert.deepEqual([unready.status, unready.text], [503, 'starting\n'])
  weir.ready = { isReady: true, why: 'running' }
  const ready = await weir.ask('/ready?from=balancer', { headers: { host: 'weir.internal' } })
  assert.deepEqual([ready.status, ready.text], [200, 'running\n'])
  const live = await weir.ask('/live')
  assert.deepEqual([live.status, live.text], [200, 'live\n'])
  const head = await weir.ask('/ready', { method: 'HEAD' })
  assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', '8'])
  assert.equal((await weir.ask('/ready', { method: 'POST' })).status, 405)
})

test('an address that is taken is a sentence', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const bind = { kind: 'tcp' as const, host: '127.0.0.1', port, lastPort: port, text: `127.0.0.1:${port}` }
  const statistics = { renewViews: () => {}, live: async () => Buffer.of(), scrape: async () => Buffer.of() }
  const config = { bind, token: null, viewToken: null, hosts: [] }
  await assert.rejects(openAdmin({ config, operation: fake().operation, statistics, ready: () => ({ isReady: true, why: '' }) }), {
    message: new RegExp(`^cannot open the HTTP interface at 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`),
  })
})

test('it is gone when it is closed', async (t) => {
  const weir = await opened(t)
  assert.equal((await weir.ask('/ready')).status, 200)
  weir.server.close()
  await assert.rejects(weir.ask('/ready'))
})
