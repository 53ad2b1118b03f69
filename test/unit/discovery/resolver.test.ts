import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { HostsFile } from '../../../src/primary/discovery/hosts-file.ts'
import { DnsResolver, dnsServersOf } from '../../../src/primary/discovery/resolver.ts'
import { inTime, type Scope, timed, until } from '../../scenario/lib/wait.ts'
import { a, aaaa, type DnsServer, srv, startDnsServer, type Zone } from './lib/dns-server.ts'

const noHosts = new HostsFile('/nowhere/hosts')

async function start(scope: Scope, zones: Record<string, Zone>): Promise<{ dns: DnsServer; resolver: DnsResolver }> {
  const dns = await startDnsServer(scope, zones)
  return { dns, resolver: new DnsResolver({ servers: [dns.address], hosts: noHosts }) }
}

async function hostsFile(t: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-hosts-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'hosts')
  writeFileSync(path, text)
  return path
}

test('A and AAAA records become addresses, IPv4 first, with the smallest time to live', async (t) => {
  const { resolver } = await start(t, { 'api.test': [aaaa('fd00::5', 20), a('10.0.0.1', 30), a('10.0.0.2', 40), a('10.0.0.1', 30)] })
  assert.deepEqual(await resolver.ask('dns', 'API.test.'), {
    kind: 'dns',
    addresses: ['10.0.0.1', '10.0.0.2', 'fd00::5'],
    missing: null,
    ttlMs: 20_000,
  })
})

test('each look asks DNS again, whatever the time to live', async (t) => {
  const { dns, resolver } = await start(t, { 'api.test': [a('10.0.0.1', 3600)] })
  await resolver.ask('dns', 'api.test')
  dns.zones.set('api.test', [a('10.0.0.2', 3600)])
  assert.deepEqual(((await resolver.ask('dns', 'api.test')) as { addresses: string[] }).addresses, ['10.0.0.2'])
})

test('a name of one family needs no records of the other', async (t) => {
  const { resolver } = await start(t, { 'v4.test': [a('10.0.0.1')], 'v4.test AAAA': 'nxdomain', 'v6.test': [aaaa('fd00::1')] })
  assert.deepEqual(await resolver.ask('dns', 'v4.test'), { kind: 'dns', addresses: ['10.0.0.1'], missing: null, ttlMs: 5_000 })
  assert.deepEqual(await resolver.ask('dns', 'v6.test'), { kind: 'dns', addresses: ['fd00::1'], missing: null, ttlMs: 5_000 })
})

test('a family that fails is said to be missing, and is asked for again soon', async (t) => {
  const { resolver } = await start(t, { 'api.test': [a('10.0.0.1', 60), aaaa('fd00::1', 60)], 'api.test AAAA': 'servfail' })
  assert.deepEqual(await resolver.ask('dns', 'api.test'), { kind: 'dns', addresses: ['10.0.0.1'], missing: 6, ttlMs: 5_000 })
  const other = await start(t, { 'api.test': [aaaa('fd00::1', 60)], 'api.test A': 'servfail' })
  assert.deepEqual(await other.resolver.ask('dns', 'api.test'), { kind: 'dns', addresses: ['fd00::1'], missing: 4, ttlMs: 5_000 })
})

test('failures keep their codes', async (t) => {
  const { resolver } = await start(t, { 'bad.test': 'servfail', 'empty.test': [], 'no.test': 'refused' })
  await assert.rejects(resolver.ask('dns', 'gone.test'), { code: 'ENOTFOUND' })
  await assert.rejects(resolver.ask('dns', 'empty.test'), { code: 'ENODATA' })
  await assert.rejects(resolver.ask('dns', 'bad.test'), { code: 'ESERVFAIL' })
  await assert.rejects(resolver.ask('dns', 'no.test'), { code: 'EREFUSED' })
  await assert.rejects(resolver.ask('srv', '_http._tcp.gone.test'), { code: 'ENOTFOUND' })
})

test('a silent server is asked twice, then given up', async (t) => {
  const { dns, resolver } = await start(t, { 'api.test': 'silent' })
  const { ms } = await timed(assert.rejects(resolver.ask('dns', 'api.test'), { code: 'ETIMEOUT' }))
  assert.deepEqual(dns.questions.sort(), ['A api.test', 'A api.test', 'AAAA api.test', 'AAAA api.test'])
  assert.ok(ms >= 3_900 && ms < 9_000, `${ms} ms`)
})

test('a truncated answer is asked for again over TCP, and may be longer than Node.js tells times to live for', async (t) => {
  const many = Array.from({ length: 300 }, (_, i) => a(`10.0.${i >> 8}.${i & 255}`, 9))
  const { dns, resolver } = await start(t, { 'big.test': { truncated: many } })
  const answer = await resolver.ask('dns', 'big.test')
  assert.deepEqual([answer.kind === 'dns' && answer.addresses.length, answer.ttlMs], [300, 9_000])
  assert.ok(dns.questions.includes('tcp A big.test'))
})

test('SRV records come with the addresses of their targets, whose smallest time to live counts', async (t) => {
  const { dns, resolver } = await start(t, {
    '_http._tcp.api.test': [
      srv('A.test', 8080, { weight: 3 }),
      srv('a.test', 8081),
      srv('b.test', 80, { priority: 2 }),
      srv('lost.test', 1),
    ],
    'a.test': [a('10.0.0.1', 3)],
    'b.test': [a('10.0.0.2', 9)],
  })
  const where = (address: string, ttlMs: number) => ({ kind: 'dns', addresses: [address], missing: null, ttlMs })
  const answer = await resolver.ask('srv', '_http._tcp.api.test')
  assert.ok(answer.kind === 'srv')
  const byPort = [...answer.services].sort((one, other) => other.port - one.port)
  assert.deepEqual(byPort, [
    { target: 'a.test', port: 8081, priority: 0, weight: 1, at: where('10.0.0.1', 3_000) },
    { target: 'a.test', port: 8080, priority: 0, weight: 3, at: where('10.0.0.1', 3_000) },
    { target: 'b.test', port: 80, priority: 2, weight: 1, at: where('10.0.0.2', 9_000) },
    { target: 'lost.test', port: 1, priority: 0, weight: 1, at: null },
  ])
  assert.equal(answer.ttlMs, 3_000)
  assert.equal(dns.questions.filter((question) => question === 'A a.test').length, 1)
})

test('SRV targets that no server can have are left out', async (t) => {
  const { resolver } = await start(t, {
    '_a._tcp.test': [srv('.', 80)],
    '_b._tcp.test': [srv('x/y.test', 80), srv('x y.test', 80), srv('10.0.0.1', 80), srv('ok.test', 0), srv('ok.test', 80)],
    'ok.test': [a('10.0.0.1')],
  })
  await assert.rejects(resolver.ask('srv', '_a._tcp.test'), { code: 'ENODATA' })
  const answer = await resolver.ask('srv', '_b._tcp.test')
  assert.deepEqual(answer.kind === 'srv' && answer.services.map(({ target, port }) => [target, port]), [['ok.test', 80]])
})

test('the hosts file wins over DNS, and its changes are seen', async (t) => {
  const dns = await startDnsServer(t, { 'api.test': [a('10.0.0.9')] })
  const path = await hostsFile(t, 'fd00::1 api.test\n10.0.0.1 other API.test # api.test is here\n')
  const resolver = new DnsResolver({ servers: [dns.address], hosts: new HostsFile(path) })
  assert.deepEqual(await resolver.ask('dns', 'Api.test'), {
    kind: 'dns',
    addresses: ['10.0.0.1', 'fd00::1'],
    missing: null,
    ttlMs: 30_000,
  })
  assert.deepEqual(dns.questions, [])
  writeFileSync(path, '10.0.0.1 something-else\n')
  assert.deepEqual(((await resolver.ask('dns', 'api.test')) as { addresses: string[] }).addresses, ['10.0.0.9'])
})

test('localhost needs no DNS', async (t) => {
  const { dns, resolver } = await start(t, { localhost: [a('10.0.0.9')] })
  const answer = await resolver.ask('dns', 'localhost')
  assert.ok(answer.kind === 'dns' && answer.addresses.some((address) => address === '127.0.0.1' || address === '::1'))
  assert.deepEqual([answer.ttlMs, dns.questions], [30_000, []])
})

test('no more than 64 names are asked at once', async (t) => {
  const names = Array.from({ length: 200 }, (_, i) => `n${i}.test`)
  const { dns, resolver } = await start(t, Object.fromEntries(names.map((name) => [name, 'silent' as const])))
  const asked = names.map((name) => resolver.ask('dns', name).catch((error) => error.code))
  await until(() => dns.questions.length >= 128)
  assert.equal(new Set(dns.questions.map((question) => question.split(' ')[1])).size, 64)
  resolver.stop()
  assert.deepEqual(new Set(await inTime(Promise.all(asked))), new Set(['ECANCELLED']))
})

test('stopping cancels what is being asked, and nothing is asked afterwards', async (t) => {
  const { dns, resolver } = await start(t, { 'api.test': 'silent' })
  const asked = assert.rejects(resolver.ask('dns', 'api.test'), { code: 'ECANCELLED' })
  await until(() => dns.questions.length === 2)
  resolver.stop()
  await inTime(asked, { within: 1_000, what: 'the end of the question' })
  await assert.rejects(resolver.ask('dns', 'other.test'), { code: 'ECANCELLED' })
  assert.equal(dns.questions.length, 2)
})

test('WEIR_DNS_SERVERS is a list of addresses; anything else is an error that says so', () => {
  assert.deepEqual(dnsServersOf({ WEIR_DNS_SERVERS: '10.0.0.1, [fd00::1]:53,' }), ['10.0.0.1', '[fd00::1]:53'])
  assert.equal(dnsServersOf({ WEIR_DNS_SERVERS: '' }), undefined)
  assert.equal(dnsServersOf({}), undefined)
  assert.throws(() => new DnsResolver({ servers: ['dns.test'] }), /IP addresses.*found dns\.test/)
})
