// Connections spread evenly over the workers, with few clients and with many.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { type Client, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { clientConnections } from './lib/processes.ts'
import { startServer } from './lib/server.ts'
import { type Scope, until } from './lib/wait.ts'

const server = await startServer(file, (_req, res) => void res.end('fine'))
const weir = await startBalancer(file, config({ servers: [server.address] }), { workers: 2 })

async function openAndAsk(scope: Scope): Promise<Client> {
  const client = await connect(scope, weir.port())
  client.request('GET /')
  assert.equal((await client.readResponse({ within: 20_000 })).status, 200)
  return client
}

const held = () => weir.workerPids().map((pid) => clientConnections(pid, weir.port()))

for (const { count, how } of [
  { count: 64, how: 'at once' },
  { count: 64, how: 'one after the other' },
  { count: 1_000, how: 'at once' },
]) {
  test(`${count} clients that come ${how} are spread over two workers within 20 %`, async (t) => {
    const clients: Client[] = []
    if (how === 'at once') clients.push(...(await Promise.all(Array.from({ length: count }, () => openAndAsk(t)))))
    else for (let i = 0; i < count; i++) clients.push(await openAndAsk(t))
    const [a = 0, b = 0] = held()
    assert.equal(a + b, count, 'every connection is held by a worker')
    assert.ok(Math.min(a, b) >= 0.8 * Math.max(a, b), `${a} and ${b} connections`)
    for (const client of clients) client.socket.destroy()
    await until(() => held().every((now) => now === 0), { what: 'all connections are gone' })
  })
}
