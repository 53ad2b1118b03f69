// TLVs of version 2 PROXY headers in routing. The headers here are made by hand; see proxy-protocol-peers.test.ts for one of HAProxy.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { firstLine, namedServer, openTo, PROXIED, refused, tellingServer, textAfter } from './lib/proxied.ts'
import { binaryOf, lineOf, V4, V6 } from './lib/proxy-header.ts'

const MATCHES = {
  aws: { aws: { regex: '^\\x01vpce-08d2bf15' } },
  authority: { authority: 'db.example' },
  unique: { 'unique-id': ['id-1', 'id-2'] },
  own: { '0xe5': true },
}
const teller = await tellingServer(file)
const answer = (name: string) => ({ answer: { status: 200, body: name } })
const webRoutes = Object.entries(MATCHES).map(([name, proxyTlv]) => ({ match: { path: '/tlv', proxyTlv }, ...answer(name) }))
const tcpRoutes = Object.entries(MATCHES).map(([name, proxyTlv]) => ({ match: { proxyTlv }, upstream: name }))
const listeners = {
  web: { ...PROXIED, routes: [...webRoutes, { match: {}, ...answer('none') }] },
  tcp: { ...PROXIED, protocol: 'tcp', routes: [...tcpRoutes, { match: {}, upstream: 'teller' }] },
}
const upstreams: Record<string, unknown> = { teller: { servers: [teller.address], sendProxyProtocol: 'v1' } }
for (const name of Object.keys(MATCHES)) upstreams[name] = { servers: [(await namedServer(file, name)).address] }
const weir = await startBalancer(file, config({ servers: [], top: { listeners, upstreams } }))

const TLVS: [name: string, tlvs: [number, string][], seen: string][] = [
  ['the VPC endpoint of AWS', [[0xea, '\x01vpce-08d2bf15fac5001c9']], 'aws'],
  ['an authority', [[0x02, 'db.example']], 'authority'],
  ['a unique id', [[0x05, 'id-2']], 'unique'],
  [
    'a type of its own, behind others,',
    [
      [0x04, 'padding'],
      [0x01, 'h2'],
      [0xe5, ''],
    ],
    'own',
  ],
]

for (const [name, tlvs, seen] of TLVS) {
  test(`routes match ${name} in a header`, async (t) => {
    for (const endpoints of [V4, V6]) {
      for (const checked of [{}, { checksum: 'right' as const }]) {
        const header = binaryOf({ endpoints, tlvs, ...checked })
        assert.equal(await textAfter(t, weir, '/tlv', header), seen)
        assert.equal(await firstLine(t, weir, 'tcp', header), `${seen}\r\n`)
      }
    }
    await refused(t, weir, {
      listener: 'tcp',
      bytes: binaryOf({ endpoints: V4, tlvs, checksum: 'wrong' }),
      why: /no valid PROXY header: .*checksum is wrong/,
    })
  })
}

test('a TLV of another value, or of a LOCAL header, matches no route that asks for it', async (t) => {
  const other = binaryOf({
    endpoints: V4,
    tlvs: [
      [0x02, 'db.example.org'],
      [0xea, '\x02vpce-08d2bf15'],
    ],
  })
  const local = binaryOf({ command: 'local', tlvs: [[0x02, 'db.example']] })
  for (const header of [other, local, lineOf(V4)]) {
    assert.equal(await textAfter(t, weir, '/tlv', header), 'none')
    assert.match(await firstLine(t, weir, 'tcp', header), /^PROXY TCP4 /)
  }
})

test('a TLV is looked at for every request of its connection', async (t) => {
  const client = await openTo(t, weir, 'web')
  client.send(binaryOf({ endpoints: V4, tlvs: [[0x02, 'db.example']] }))
  for (let i = 0; i < 3; i++) {
    client.request('GET /tlv')
    assert.equal((await client.readResponse()).text, 'authority')
  }
})
