// A TCP connection through the balancer: the same bytes, in both directions, each of which ends for itself.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { connect } from './lib/client.ts'
import { tcpConfig } from './lib/config.ts'
import { drivenServer, echoes, namedServer, openTunnel, sawReset, whoAnswers } from './lib/driven-server.ts'
import { file } from './lib/file-scope.ts'
import { digest, pour, settled } from './lib/flow.ts'
import { residentBytes } from './lib/processes.ts'
import { timed, until } from './lib/wait.ts'

const MiB = 1024 * 1024
const STALLED_TOTAL = 64 * MiB

const folder = mkdtempSync(join(tmpdir(), 'weir-tcp-'))
file.after(() => rmSync(folder, { recursive: true, force: true }))
const server = await drivenServer(file)
const unixServer = await drivenServer(file, { path: join(folder, 'server.sock') })
const tcp = { protocol: 'tcp' }
const listeners = {
  web: { ...tcp, bind: '127.0.0.1:0', upstream: 'app' },
  impatient: { ...tcp, bind: '127.0.0.1:0', upstream: 'impatient' },
  unix: { ...tcp, bind: `unix:${join(folder, 'weir.sock')}`, upstream: 'unix' },
}
const upstreams = {
  app: { servers: [server.address] },
  impatient: { servers: [server.address], timeouts: { tunnel: '400ms' } },
  unix: { servers: [unixServer.address] },
}
const weir = await startBalancer(file, tcpConfig({ servers: [], top: { listeners, upstreams } }))
const worker = weir.workerPids()[0] as number

test('bytes pass both ways, and the server may speak first', async (t) => {
  const { client, peer } = await openTunnel(t, weir.port(), server)
  peer.write('server first\n')
  assert.equal(await client.reader.takeUntil('\n'), 'server first\n')
  for (const text of ['a\n', 'then the client\n', `${'x'.repeat(100_000)}\n`]) {
    client.send(text)
    assert.equal(await peer.readUntil('\n'), text)
    peer.write(text)
    assert.equal(await client.reader.takeUntil('\n'), text)
  }
})

test('what a client sends before its server is connected is not lost', async (t) => {
  const client = await connect(t, weir.port())
  client.send('at once')
  client.end()
  const peer = await server.next()
  assert.equal((await peer.reader.takeRest()).toString(), 'at once')
  peer.end('answer')
  assert.equal((await client.reader.takeRest()).toString(), 'answer')
})

test('long flows in both directions at once arrive unchanged', async (t) => {
  const { client, peer } = await openTunnel(t, weir.port(), server)
  const up = pour(client.socket, 24 * MiB)
  const down = pour(peer.socket, 16 * MiB)
  const [atServer, atClient] = await Promise.all([digest(peer.reader, 24 * MiB), digest(client.reader, 16 * MiB)])
  assert.deepEqual(atServer, { bytes: 24 * MiB, sha256: await up.poured })
  assert.deepEqual(atClient, { bytes: 16 * MiB, sha256: await down.poured })
  client.send('still open')
  assert.equal((await peer.readBytes(10)).toString(), 'still open')
})

test('a client that shuts down its sending side still gets the whole, long answer', async (t) => {
  const { client, peer } = await openTunnel(t, weir.port(), server)
  client.send('last words')
  client.end()
  assert.equal((await peer.reader.takeRest()).toString(), 'last words')
  const flow = pour(peer.socket, 8 * MiB)
  const { sha256 } = await digest(client.reader, 8 * MiB)
  assert.equal(sha256, await flow.poured)
  peer.write('more')
  assert.equal((await client.reader.take(4)).toString(), 'more')
  peer.end()
  await client.expectClosed()
  assert.equal(sawReset(client), false)
})

test('a server that shuts down its sending side first still gets everything that the client has', async (t) => {
  const { client, peer } = await openTunnel(t, weir.port(), server)
  peer.end('goodbye')
  assert.equal((await client.reader.takeRest()).toString(), 'goodbye')
  const flow = pour(client.socket, 8 * MiB)
  const { sha256 } = await digest(peer.reader, 8 * MiB)
  assert.equal(sha256, await flow.poured)
  client.send('end')
  client.end()
  assert.equal((await peer.reader.takeRest()).toString(), 'end')
  assert.equal(sawReset(peer), false)
})

test('a tunnel whose two directions have ended leaves nothing behind', async (t) => {
  const { client, peer } = await openTunnel(t, weir.port(), server)
  client.end()
  await peer.closed()
  assert.equal(client.reader.ended, false, 'the other direction is open')
  peer.end()
  await client.expectClosed()
  await until(() => peer.socket.destroyed && client.socket.destroyed, { what: 'both sockets are closed' })
})

test('a tunnel without a byte is closed after its idle time', async (t) => {
  const { client, peer } = await openTunnel(t, weir.port('impatient'), server)
  const { ms } = await timed(Promise.all([client.expectClosed(), peer.closed()]))
  assert.ok(ms > 300 && ms < 1_500, `closed after ${ms} ms`)
})

for (const from of ['client', 'server'] as const) {
  test(`a tunnel in which only the ${from} speaks is not silent`, async (t) => {
    const { client, peer } = await openTunnel(t, weir.port('impatient'), server)
    const timer = setInterval(() => (from === 'client' ? client.send('x') : peer.write('x')), 100)
    t.after(() => clearInterval(timer))
    const { ms } = await timed((from === 'client' ? peer.reader : client.reader).take(13))
    clearInterval(timer)
    assert.ok(ms > 1_000, `13 bytes took ${ms} ms`)
    const { ms: silent } = await timed(Promise.all([client.reader.takeRest(), peer.closed()]))
    assert.ok(silent > 200 && silent < 1_500, `closed after ${silent} ms`)
  })
}

test('a half-closed tunnel that is silent is closed after its idle time too', async (t) => {
  const { client, peer } = await openTunnel(t, weir.port('impatient'), server)
  client.end()
  await peer.closed()
  const { ms } = await timed(client.expectClosed())
  assert.ok(ms < 1_500, `closed after ${ms} ms`)
})

for (const reads of ['client', 'server'] as const) {
  test(`a ${reads} that stalls holds back its writer, costs little memory, and gets everything afterwards`, async (t) => {
    const before = residentBytes(worker)
    const { client, peer } = await openTunnel(t, weir.port(), server)
    const [reader, writer] = reads === 'client' ? [client.reader, peer.socket] : [peer.reader, client.socket]
    reader.pause()
    const flow = pour(writer, STALLED_TOTAL)
    await until(() => flow.taken() > 0)
    const taken = await settled(flow.taken)
    // The kernel's own socket buffers may grow to tcp_rmem's maximum, 32 MiB on some machines.
    assert.ok(taken < STALLED_TOTAL * 0.9, `${taken} bytes were taken`)
    const grown = residentBytes(worker) - before
    assert.ok(grown < 8 * MiB, `the worker grew by ${grown} bytes`)
    reader.resume()
    assert.deepEqual(await digest(reader, STALLED_TOTAL), { bytes: STALLED_TOTAL, sha256: await flow.poured })
  })
}

test('a stalled direction does not hold back the other one', async (t) => {
  const { client, peer } = await openTunnel(t, weir.port(), server)
  client.reader.pause()
  const flow = pour(peer.socket, STALLED_TOTAL)
  await settled(flow.taken)
  client.send('still heard')
  assert.equal((await peer.readBytes(11)).toString(), 'still heard')
  client.reset()
  await peer.closed()
})

test('unix sockets are listened on and connected to', async (t) => {
  const path = weir.addresses('unix')[0]?.replace('unix:', '') as string
  const { client, peer } = await openTunnel(t, path, unixServer)
  const flow = pour(peer.socket, 8 * MiB)
  client.send('hello')
  assert.equal((await peer.readBytes(5)).toString(), 'hello')
  assert.equal((await digest(client.reader, 8 * MiB)).sha256, await flow.poured)
  client.end()
  await peer.closed()
  peer.end('rest')
  assert.equal((await client.reader.takeRest()).toString(), 'rest')
})

test('a hundred tunnels at once do not mix their bytes', async (t) => {
  const named = await namedServer(t, 'echo')
  const own = await startBalancer(t, tcpConfig({ servers: [named.address] }), { workers: 2 })
  const open = await Promise.all(Array.from({ length: 100 }, () => whoAnswers(t, own.port())))
  for (const round of ['first', 'second']) {
    await Promise.all(open.map(({ client }, i) => echoes(client, `${round} ${i} ${'x'.repeat(i * 100)}`)))
  }
  for (const { client } of open) client.end()
  await until(() => named.open === 0, { what: 'the server has no connection left' })
})
