// A reset of one side of a tunnel reaches the other as a reset, behind everything that was sent before it.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { tcpConfig } from './lib/config.ts'
import { drivenServer, type Ends, openTunnel, sawReset } from './lib/driven-server.ts'
import { file } from './lib/file-scope.ts'
import { digest, pour } from './lib/flow.ts'
import { type SocketQueues, socketQueues } from './lib/processes.ts'
import { until } from './lib/wait.ts'

const MiB = 1024 * 1024

const server = await drivenServer(file)
const weir = await startBalancer(file, tcpConfig({ servers: [server.address] }))

/** The end that resets and the one that must notice. */
function roles({ client, peer }: Ends, who: 'client' | 'server') {
  const server = { socket: peer.socket, reader: peer.reader, send: peer.write, end: () => peer.end(), reset: peer.reset }
  return who === 'client' ? { one: client, other: server } : { one: server, other: client }
}

function queuesOf({ localPort, remotePort }: Socket): SocketQueues {
  return socketQueues(localPort, remotePort)
}

for (const who of ['client', 'server'] as const) {
  test(`a reset of an idle ${who} reaches the other side as a reset`, async (t) => {
    const { one, other } = roles(await openTunnel(t, weir.port(), server), who)
    one.send('hello')
    await other.reader.take(5)
    one.reset()
    assert.equal((await other.reader.takeRest()).length, 0)
    assert.equal(sawReset(other), true)
  })

  test(`a reset of a ${who} that has shut down its sending side reaches the other side`, async (t) => {
    const { one, other } = roles(await openTunnel(t, weir.port(), server), who)
    one.end()
    await other.reader.takeRest()
    assert.equal(sawReset(other), false)
    one.reset()
    await until(() => sawReset(other), { what: 'a reset' })
  })

  test(`a reset of a ${who} reaches the other side after that has shut down its sending side`, async (t) => {
    const { one, other } = roles(await openTunnel(t, weir.port(), server), who)
    other.end()
    await one.reader.takeRest()
    one.reset()
    await other.reader.takeRest()
    assert.equal(sawReset(other), true)
  })

  test(`a ${who} that ends in order is not taken for one that resets`, async (t) => {
    const { one, other } = roles(await openTunnel(t, weir.port(), server), who)
    one.end()
    await other.reader.takeRest()
    assert.equal(sawReset(other), false)
    other.end()
    await one.reader.takeRest()
    await until(() => one.socket.destroyed && other.socket.destroyed)
    assert.deepEqual([one.reader.wasReset, other.reader.wasReset], [false, false])
  })

  for (const bytes of [1, 5, 64].map((blocks) => blocks * 65_536)) {
    test(`the ${bytes} bytes that a ${who} sent before its reset all arrive, then the reset`, async (t) => {
      const { one, other } = roles(await openTunnel(t, weir.port(), server), who)
      const flow = pour(one.socket, bytes)
      const arrived = digest(other.reader)
      const sha256 = await flow.poured
      await until(() => queuesOf(one.socket).sent === 0)
      one.reset()
      assert.deepEqual(await arrived, { bytes, sha256 })
      assert.equal(sawReset(other), true)
    })
  }

  test(`what a ${who} sent before its reset arrives at a reader that stalled meanwhile`, async (t) => {
    const { one, other } = roles(await openTunnel(t, weir.port(), server), who)
    other.reader.pause()
    const flow = pour(one.socket, MiB)
    const sha256 = await flow.poured
    await until(() => queuesOf(one.socket).sent === 0)
    one.reset()
    await until(() => one.socket.destroyed)
    other.reader.resume()
    assert.deepEqual(await digest(other.reader), { bytes: MiB, sha256 })
    assert.equal(sawReset(other), true)
  })

  test(`a ${who} that answers, then closes with bytes unread, has its answer delivered`, async (t) => {
    const { one, other } = roles(await openTunnel(t, weir.port(), server), who)
    one.reader.pause()
    other.send('x'.repeat(100_000))
    one.send('I have read enough')
    await other.reader.take(18)
    one.send('and I leave')
    await until(() => queuesOf(one.socket).sent === 0)
    // node has taken the first part and stopped; the rest stays with the kernel.
    const unread = () => queuesOf(one.socket).received
    await until(() => one.socket.readableLength > 0 && unread() > 0 && one.socket.readableLength + unread() === 100_000)
    // The kernel makes a reset of a close with bytes unread.
    one.socket.destroy()
    assert.equal((await other.reader.takeRest()).toString(), 'and I leave')
    assert.equal(sawReset(other), true)
  })

  test(`a ${who} that is reset in the middle of a flow towards it ends the flow`, async (t) => {
    const { one, other } = roles(await openTunnel(t, weir.port(), server), who)
    const flow = pour(other.socket, 256 * MiB)
    const ended = flow.poured.then(
      () => 'poured',
      () => 'broken',
    )
    await one.reader.takeSome()
    one.reader.pause()
    one.reset()
    await other.reader.takeRest()
    assert.equal(sawReset(other), true)
    assert.equal(await ended, 'broken')
  })
}

test('none of it costs the next tunnel anything', async (t) => {
  const { client, peer } = await openTunnel(t, weir.port(), server)
  client.send('fine')
  assert.equal((await peer.readBytes(4)).toString(), 'fine')
})
