// weir why: what happened to one request, after the fact.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { WhyData } from '../../src/shared/control/record-data.ts'
import { startBalancer } from './lib/balancer.ts'
import { ask, headerOf } from './lib/client.ts'
import { command, data } from './lib/command.ts'
import { config } from './lib/config.ts'
import { serverStatus } from './lib/control.ts'
import { file } from './lib/file-scope.ts'
import { startServer } from './lib/server.ts'
import { until } from './lib/wait.ts'

const mortal = await startServer(file)
const steady = await startServer(file)
const servers = [
  { name: 'mortal', address: mortal.address },
  { name: 'steady', address: steady.address },
]
const upstream = { balance: 'first', health: { tcp: true, interval: '200ms', fastInterval: '50ms', rise: 1, fall: 2 } }
const listener = {
  routes: [
    { match: { path: '/fill/' }, answer: { status: 204 } },
    { match: {}, upstream: 'app' },
  ],
}
const weir = await startBalancer(file, config({ servers, upstream, listener }), { workers: 2 })
const socket = join(weir.folder, 'weir.sock')

test('a request that was tried again has its story: attempts, servers, times, and the verdict that came later', async (t) => {
  await until(async () => (await serverStatus(t, socket, 'app/mortal')).state === 'up')
  await mortal.close()
  const { text } = await ask(t, weir.port(), 'GET /story?password=x')
  const id = (JSON.parse(text) as { headers: Record<string, string> }).headers['x-request-id'] as string
  await until(async () => (await serverStatus(t, socket, 'app/mortal')).state === 'down')

  const why = await until(async () => {
    const told = await data<WhyData>(weir, 'why', id)
    return told.servers.some(({ later }) => later.some(({ state }) => state === 'down')) ? told : null
  })
  assert.deepEqual([why.record.status, why.record.server, why.record.query], [200, 'steady', 'password=redacted'])
  assert.equal(why.record.failedAttempts?.[0]?.server, 'app/mortal')
  assert.equal(why.servers.find(({ id }) => id === 'app/steady')?.atFirst?.state, 'up')
  assert.equal(why.servers.find(({ id }) => id === 'app/mortal')?.atFirst?.state, 'up')

  const { code, stdout } = await command(weir, 'why', id)
  assert.equal(code, 0)
  assert.match(stdout, /app\/mortal failed: /)
  assert.match(stdout, /answered with 200 by app\/steady on a (new|pooled) connection, after 2 attempts/)
  assert.match(stdout, /app\/mortal +up +for .* down \d+ ms later|app\/mortal +up/)
})

test('a failure outlives the rings', async (t) => {
  await steady.close()
  await until(async () => (await serverStatus(t, socket, 'app/steady')).state === 'down')
  const failed = await ask(t, weir.port(), 'GET /failed')
  assert.equal(failed.status, 503)
  const id = headerOf(failed, 'x-request-id') as string
  await until(async () => (await command(weir, 'why', id)).code === 0)
  // 4 MiB of each worker, in records of 8 KiB: all of them are overwritten.
  const path = `/fill/${'x'.repeat(8_000)}`
  for (let round = 0; round < 14; round++) await Promise.all(Array.from({ length: 100 }, () => ask(t, weir.port(), `GET ${path}`)))
  const { code, stdout } = await command(weir, 'why', id)
  assert.equal(code, 0)
  assert.match(stdout, /answered with 503 by weir itself/)
  assert.match(stdout, /no_server: No server of the upstream could be used/)
})

test('an id that nobody has ends with 4, and with how long records are kept', async () => {
  const { code, stderr } = await command(weir, 'why', 'ffffffffffffffff')
  assert.equal(code, 4)
  assert.match(stderr, /no request with the id "ffffffffffffffff" is known: all requests of the last \d+ (s|min) are; .* for 5 minutes/)
})
