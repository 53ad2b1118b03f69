// Which server of an upstream takes a request.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { response } from './lib/raw-server.ts'
import { scriptedServer } from './lib/scripted-server.ts'
import { deferred, until } from './lib/wait.ts'

const a = await scriptedServer(file)
const b = await scriptedServer(file)
const servers = [a, b]
servers.forEach((server, i) => server.on('/', response('ab'[i] as string)))
const addresses = [a.address, b.address]
const upstreams = {
  turns: { balance: 'round-robin', servers: addresses },
  weights: { balance: 'round-robin', servers: [{ address: a.address, weight: 3 }, b.address] },
  zero: { balance: 'round-robin', servers: [{ address: a.address, weight: 0 }, b.address] },
  spare: { servers: [{ address: a.address, backup: true }, b.address] },
  spareOnly: { servers: [{ address: a.address, backup: true }, '127.0.0.1:1'] },
  least: { balance: 'least-connections', servers: addresses },
}
const routes = Object.keys(upstreams).map((name) => ({ match: { path: `/${name}/` }, upstream: name }))
const weir = await startBalancer(file, config({ servers: [], listener: { routes }, top: { upstreams } }))

async function picks(t: Parameters<typeof ask>[0], path: string, count: number): Promise<string> {
  let names = ''
  for (let i = 0; i < count; i++) names += (await ask(t, weir.port(), `GET ${path}`)).text
  return names
}

const countOf = (names: string, name: string) => names.split(name).length - 1

test('round-robin takes turns', async (t) => {
  assert.match(await picks(t, '/turns/', 10), /^(ab){5}$|^(ba){5}$/)
})

test('a weight of three gets three of four requests, not in one lump', async (t) => {
  const names = await picks(t, '/weights/', 40)
  assert.equal(countOf(names, 'a'), 30)
  assert.doesNotMatch(names, /aaaaa|bb/)
})

test('a weight of 0 gets nothing', async (t) => {
  assert.equal(await picks(t, '/zero/', 6), 'bbbbbb')
})

test('a backup gets nothing while another server can, and everything when none can', async (t) => {
  assert.equal(await picks(t, '/spare/', 6), 'bbbbbb')
  assert.equal(await picks(t, '/spareOnly/', 6), 'aaaaaa')
})

test('least-connections avoids the server that is busy', async (t) => {
  const go = deferred()
  for (const [i, server] of servers.entries()) {
    server.on('/least/slow', async (socket) => {
      await go.promise
      socket.write(response('ab'[i] as string))
    })
  }
  const slow = await connect(t, weir.port())
  slow.request('GET /least/slow')
  const busy = await until(() => servers.findIndex((server) => server.headsOf('/least/slow').length === 1) + 1)
  assert.equal(await picks(t, '/least/', 8), 'ab'[2 - busy]?.repeat(8))
  go.resolve()
  assert.equal((await slow.readResponse()).status, 200)
  assert.match(await picks(t, '/least/', 20), /a.*b|b.*a/)
})
