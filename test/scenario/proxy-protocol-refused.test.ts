// Peers that are not trusted, and bytes that are no PROXY header: closed at once, or when the time is over, with a line in the log.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { assertClient, type Bytes, echoed, GET, openTo, PROXIED, refused, seenAfter, tellingServer } from './lib/proxied.ts'
import { binaryOf, framed, lineOf, V4, V6 } from './lib/proxy-header.ts'
import { startServer } from './lib/server.ts'
import { until } from './lib/wait.ts'

const app = await startServer(file)
const teller = await tellingServer(file)

const tcp = { protocol: 'tcp', upstream: 'teller' }
const web = { protocol: 'http', upstream: 'app' }
const strict = { ...PROXIED, trustedProxies: ['10.0.0.0/8'] }
const quick = { ...PROXIED, timeouts: { header: '300ms' } }
const listeners = {
  web: { ...PROXIED, ...web },
  tcp: { ...PROXIED, ...tcp },
  quiet: { ...PROXIED, ...web },
  strict: { ...strict, ...web },
  strictTcp: { ...strict, ...tcp },
  quick: { ...quick, ...web },
  quickTcp: { ...quick, ...tcp },
  few: { ...PROXIED, ...web, limits: { connectionsPerIp: 1 } },
}
const upstreams = { app: { servers: [app.address] }, teller: { servers: [teller.address], sendProxyProtocol: 'v1' } }
const weir = await startBalancer(file, config({ servers: [], top: { listeners, upstreams } }))

test('a peer that is not trusted is closed with a log line, whatever it sends', async (t) => {
  for (const listener of ['strict', 'strictTcp'] as const) {
    const accepted = app.connections + teller.connections
    await refused(t, weir, { listener, bytes: lineOf(V4) + GET, why: /its address is not in trustedProxies/ })
    await refused(t, weir, { listener, bytes: '', why: /its address is not in trustedProxies/ })
    assert.equal(app.connections + teller.connections, accepted)
  }
})

const WRONG: [name: string, bytes: Bytes, why: RegExp][] = [
  ['a request', GET, /no valid PROXY header: not a PROXY/],
  ['bytes of something else', Buffer.from('16030100f1010000ed0303', 'hex'), /no valid PROXY header: not a PROXY/],
  ['a line that is too long', `PROXY UNKNOWN ${'x'.repeat(200)}`, /no valid PROXY header: .*long/],
  ['a bad address', 'PROXY TCP4 203.0.113.256 198.51.100.2 1 2\r\n', /no valid PROXY header: bad IPv4 address/],
  ['a bad port', 'PROXY TCP4 203.0.113.7 198.51.100.2 65536 2\r\n', /no valid PROXY header: bad port/],
  ['an IPv6 address in an IPv4 line', 'PROXY TCP4 2001:db8::7 2001:db8::2 1 2\r\n', /no valid PROXY header: bad IPv4 address/],
  ['a signature that goes wrong', Buffer.from('\r\n\r\n\0\r\nQUIX\n', 'latin1'), /no valid PROXY header: not a PROXY header/],
  ['version 3', framed(0x31, 0x11, Buffer.alloc(12)), /no valid PROXY header: unknown version/],
  ['an unknown command', framed(0x22, 0x11, Buffer.alloc(12)), /no valid PROXY header: unknown command/],
  ['an unknown family', framed(0x21, 0x41, Buffer.alloc(12)), /no valid PROXY header: unknown address family/],
  ['too few bytes of addresses', framed(0x21, 0x21, Buffer.alloc(12)), /no valid PROXY header: .*too short for its addresses/],
  ['a binary header that claims 65,535 bytes', framed(0x21, 0x11, Buffer.alloc(12), 0xffff), /no valid PROXY header: .*too long/],
  ['TLVs of 20,000 bytes', binaryOf({ endpoints: V4, tlvs: [[0x04, Buffer.alloc(20_000)]] }), /no valid PROXY header: .*too long/],
  ['a TLV that is longer than its header', framed(0x21, 0x11, Buffer.alloc(15, 0xff)), /no valid PROXY header: .*do not fit/],
  ['a wrong checksum', binaryOf({ endpoints: V4, checksum: 'wrong' }), /no valid PROXY header: .*checksum is wrong/],
]

for (const [name, bytes, why] of WRONG) {
  test(`${name} instead of a valid header closes the connection at once, with a log line`, async (t) => {
    for (const listener of ['web', 'tcp'] as const) {
      const ms = await refused(t, weir, { listener, bytes, why })
      // The header's own timeout is 10 s.
      assert.ok(ms < 2_000, `${ms} ms`)
    }
  })
}

test('a header that the client cuts off closes the connection', async (t) => {
  for (const header of [lineOf(V4).slice(0, -1), binaryOf({ endpoints: V4 }).subarray(0, 20), 'P'])
    for (const listener of ['web', 'tcp'] as const)
      await refused(t, weir, { listener, bytes: header, why: /no valid PROXY header: it ended in the PROXY header/, end: true })
})

test('a client that leaves without a word is not worth a log line', async (t) => {
  const client = await openTo(t, weir, 'quiet')
  client.end()
  await client.expectClosed()
  // Whatever would have been said of it was said before this is refused; other tests make sure that such a line does come.
  await refused(t, weir, { listener: 'strict', bytes: '', why: /its address is not in trustedProxies/ })
  assert.doesNotMatch(weir.log(), /listener quiet: closed/)
})

test('silence, and a header that never ends, are closed when timeouts.header is over', async (t) => {
  for (const listener of ['quick', 'quickTcp'] as const) {
    for (const bytes of ['', lineOf(V4).slice(0, 30), binaryOf({ endpoints: V4 }).subarray(0, 17)]) {
      const ms = await refused(t, weir, { listener, bytes, why: /too slow: no PROXY header in time/ })
      assert.ok(ms >= 290 && ms < 2_500, `${ms} ms`)
    }
  }
})

test('limits.connectionsPerIp counts the address of the header', async (t) => {
  const first = await openTo(t, weir, 'few')
  first.send(lineOf(V4) + GET)
  assertClient(await echoed(first), V4)
  await refused(t, weir, { listener: 'few', bytes: lineOf({ ...V4, sourcePort: 40_003 }), why: /its address has as many connections/ })
  assertClient(await seenAfter(t, weir, 'few', lineOf(V6)), V6)
  first.end()
  await first.expectClosed()
  await until(async () => (await seenAfter(t, weir, 'few', lineOf(V4)))['x-real-ip'] === V4.source)
})
