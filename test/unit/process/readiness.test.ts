import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { openReadiness, type ReadyState } from '../../../src/primary/readiness.ts'

async function open(t: TestContext, state: () => ReadyState): Promise<(path: string, method?: string) => Promise<[number, string]>> {
  const server = await openReadiness({ host: '127.0.0.1', port: 0 }, state)
  t.after(() => server.close())
  return async (path, method = 'GET') => {
    const response = await fetch(`http://${server.address}${path}`, { method })
    return [response.status, await response.text()]
  }
}

test('readiness is asked for each time', async (t) => {
  let state: ReadyState = { isReady: false, why: 'starting' }
  const ask = await open(t, () => state)
  assert.deepEqual(await ask('/ready'), [503, 'starting\n'])
  assert.deepEqual(await ask('/live'), [200, 'live\n'])
  state = { isReady: true, why: 'ready' }
  assert.deepEqual(await ask('/ready?from=balancer'), [200, 'ready\n'])
  assert.deepEqual(await ask('/ready', 'HEAD'), [200, ''])
})

test('nothing else is answered', async (t) => {
  const ask = await open(t, () => ({ isReady: true, why: 'ready' }))
  assert.equal((await ask('/'))[0], 404)
  assert.equal((await ask('/ready', 'POST'))[0], 405)
})

test('an address that is taken is a sentence', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  await assert.rejects(
    openReadiness({ host: '127.0.0.1', port }, () => ({ isReady: true, why: '' })),
    {
      message: new RegExp(`^cannot open the HTTP interface at 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`),
    },
  )
})

test('it is gone when it is closed', async () => {
  const server = await openReadiness({ host: 'localhost', port: 0 }, () => ({ isReady: true, why: 'ready' }))
  assert.match(server.address, /^127\.0\.0\.1:\d+$|^\[::1\]:\d+$/)
  assert.equal((await fetch(`http://${server.address}/ready`)).status, 200)
  server.close()
  await assert.rejects(fetch(`http://${server.address}/ready`))
})
