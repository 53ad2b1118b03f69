import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Match } from '../../../src/shared/config/model.ts'
import { compileConditions, countConditions } from '../../../src/worker/route/matchers.ts'
import { head } from './fixtures.ts'

function holds(match: Match, fields: Parameters<typeof head>[0], path = '/', host = 'h'): boolean {
  return compileConditions(match).every((condition) => condition.test(head(fields), path, host))
}

test('a method is one of those named, case-sensitive', () => {
  assert.ok(holds({ method: ['GET', 'HEAD'] }, { method: 'HEAD' }))
  assert.ok(!holds({ method: ['GET'] }, { method: 'get' }))
})

test('a header is present, absent, equal, a regex or any of a list', () => {
  const headers = { 'x-env': 'prod' }
  assert.ok(holds({ header: { 'x-env': true } }, { headers }))
  assert.ok(!holds({ header: { 'x-env': false } }, { headers }))
  assert.ok(holds({ header: { 'x-other': false } }, { headers }))
  assert.ok(holds({ header: { 'x-env': 'prod' } }, { headers }))
  assert.ok(!holds({ header: { 'x-env': 'pro' } }, { headers }))
  assert.ok(holds({ header: { 'x-env': { regex: 'ro' } } }, { headers }))
  assert.ok(!holds({ header: { 'x-other': { regex: '' } } }, { headers }))
  assert.ok(holds({ header: { 'x-env': ['dev', { regex: '^p' }] } }, { headers }))
  assert.ok(!holds({ header: { 'x-env': 'prod', 'x-other': true } }, { headers }))
})

test('a query parameter is compared decoded; the first one counts', () => {
  const is = (query: string, value: Match['query'] & object) => holds({ query: value }, { query })
  assert.ok(is('a=1&b=2', { b: '2' }))
  assert.ok(is('a&b=2', { a: '' }))
  assert.ok(is('b=x%20y+z', { b: 'x y z' }))
  assert.ok(is('%62=1', { b: '1' }))
  assert.ok(is('b=%zz', { b: '%zz' }))
  assert.ok(is('b=1=2', { b: '1=2' }))
  assert.ok(is('b=1&b=2', { b: '1' }))
  assert.ok(is('ab=1&&b', { b: true }))
  assert.ok(!is('ab=1', { b: true }))
  assert.ok(!is('', { b: true }))
})

test('a hostile query is read once', () => {
  const started = process.cpuUsage()
  assert.ok(!holds({ query: { zz: true } }, { query: '&'.repeat(1_000_000) }))
  assert.ok(process.cpuUsage(started).user < 2_000_000)
})

test('a cookie is found by its whole name', () => {
  const is = (cookie: string, value: Match['cookie'] & object) => holds({ cookie: value }, { headers: { cookie } })
  assert.ok(is('a=1; beta=yes', { beta: 'yes' }))
  assert.ok(is('beta="yes"', { beta: 'yes' }))
  assert.ok(is('a=1;beta=', { beta: '' }))
  assert.ok(!is('alphabeta=yes', { beta: true }))
  assert.ok(!is('betas=yes', { beta: true }))
  assert.ok(holds({ cookie: { beta: false } }, {}))
})

test('a client address is in a range; IPv4-mapped IPv6 counts as IPv4', () => {
  const is = (clientIp: string, ...ranges: string[]) => holds({ clientIp: ranges }, { clientIp })
  assert.ok(is('10.1.2.3', '10.0.0.0/8'))
  assert.ok(is('::ffff:10.1.2.3', '10.0.0.0/8'))
  assert.ok(is('::FFFF:a01:203', '10.0.0.0/8'))
  assert.ok(is('10.1.2.3', '::ffff:10.0.0.0/104'))
  assert.ok(is('11.0.0.0', '192.0.2.7', '11.0.0.0/32', '10.0.0.0/8'))
  assert.ok(is('255.255.255.255', '0.0.0.0/0'))
  assert.ok(is('192.0.2.255', '192.0.2.77/24'))
  assert.ok(!is('11.0.0.1', '192.0.2.7', '11.0.0.0/32', '10.0.0.0/8'))
  assert.ok(!is('9.255.255.255', '10.0.0.0/8'))
  assert.ok(is('2001:db8::1', '2001:db8::/33'))
  assert.ok(!is('2001:db8:8000::1', '2001:db8::/33'))
  assert.ok(is('2001:DB8:0:0::1', '2001:db8::1'))
  assert.ok(!is('2001:db8::1', '0.0.0.0/0'))
  for (const odd of ['', '10.1.2', '10.1.2.3.4', '10.01.2.3', '10.1.2.256', '10..1.2', 'x', '::x', '10.1.2.3 '])
    assert.ok(!is(odd, '0.0.0.0/0', '::/0'), odd)
})

test('a port is in one of the ranges', () => {
  const port = [
    { first: 443, last: 443 },
    { first: 8000, last: 8100 },
  ]
  for (const localPort of [443, 8000, 8100]) assert.ok(holds({ port }, { localPort }), String(localPort))
  for (const localPort of [0, 442, 444, 7999, 8101]) assert.ok(!holds({ port }, { localPort }), String(localPort))
})

test('ALPN holds when any protocol that is asked for is offered', () => {
  assert.ok(holds({ alpn: ['h2', 'imap'] }, { alpn: ['http/1.1', 'h2'] }))
  assert.ok(!holds({ alpn: ['h2'] }, { alpn: ['h2c'] }))
  assert.ok(!holds({ alpn: ['h2'] }, {}))
})

test('a TLV is found by its type', () => {
  const tlvs = { 2: 'a.example', 234: '\x01vpce' }
  assert.ok(holds({ proxyTlv: { 2: 'a.example', 234: { regex: 'vpce$' } } }, { tlvs }))
  assert.ok(holds({ proxyTlv: { 5: false } }, { tlvs }))
  assert.ok(!holds({ proxyTlv: { 5: true } }, { tlvs }))
  assert.ok(!holds({ proxyTlv: { 2: 'b.example' } }, { tlvs }))
})

test('inside any, all and not a server name is a condition', () => {
  const is = (sni: string) => holds({ any: [{ sni: ['a.example', '*.b.example'] }] }, { sni })
  for (const sni of ['a.example', 'a.example.', 'x.b.example']) assert.ok(is(sni), sni)
  for (const sni of ['', 'b.example', 'x.a.example']) assert.ok(!is(sni), sni)
  assert.ok(holds({ not: { sni: ['a'] } }, { sni: '' }))
})

test('not, any and all combine', () => {
  assert.ok(holds({ not: { method: ['GET'] } }, { method: 'POST' }))
  assert.ok(!holds({ not: { method: ['GET'] } }, { method: 'GET' }))
  assert.ok(holds({ not: { method: ['GET'], header: { a: true } } }, { method: 'GET' }))
  assert.ok(holds({ any: [{ method: ['PUT'] }, { header: { a: true } }] }, { headers: { a: '' } }))
  assert.ok(!holds({ any: [{ method: ['PUT'] }, { header: { a: true } }] }, {}))
  assert.ok(!holds({ any: [] }, {}))
  assert.ok(!holds({ all: [{ method: ['GET'] }, { header: { a: true } }] }, {}))
  assert.ok(holds({ not: { any: [{ path: [{ kind: 'prefix', value: '/x' }] }, { host: ['*.b'] }] } }, {}, '/xy', 'b'))
})

test('conditions are counted as documented', () => {
  assert.equal(countConditions({ host: ['a'], path: [] }), 0)
  assert.equal(countConditions({ method: ['A', 'B'], header: { a: true, b: true }, clientIp: ['::1'], not: {} }), 5)
  assert.equal(countConditions({ all: [{ method: ['A'] }, { host: ['a'], cookie: { c: true } }] }), 3)
  assert.equal(countConditions({ any: [{ method: ['A'] }, { query: { a: true, b: true } }] }), 1)
  assert.equal(countConditions({ sni: ['a'], port: [{ first: 1, last: 1 }], alpn: ['a', 'b'], proxyTlv: { 1: true, 2: true } }), 4)
  assert.equal(countConditions({ all: [{ sni: ['a'] }, { alpn: ['a'] }] }), 2)
})

test('explaining words name the wish and what came', () => {
  const [condition] = compileConditions({ header: { 'x-env': ['a', { regex: '^b' }] } })
  assert.equal(condition?.text, 'header x-env "a" or ~^b')
  assert.equal(condition?.seen(head(), '/', 'h'), 'header x-env is absent')
  const match: Match = { port: [{ first: 8000, last: 8100 }], alpn: ['h2', 'x'], proxyTlv: { 2: 'a', 7: true }, not: { sni: ['*.a'] } }
  assert.deepEqual(
    compileConditions(match).map(({ text, seen }) => [text, seen(head({ alpn: ['y', 'z'], sni: 'b.a' }), '/', 'h')]),
    [
      ['port 8000-8100', 'port is 80'],
      ['alpn h2 or x', 'alpn is y, z'],
      ['proxyTlv authority "a"', 'proxyTlv authority is absent'],
      ['proxyTlv 0x07 present', 'proxyTlv 0x07 is absent'],
      ['not (sni *.a)', 'sni is b.a'],
    ],
  )
})
