import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { planOf } from '../../../src/primary/reload/plan.ts'
import { configOf, directory, messagesOf, problemsOf } from './helper.ts'

/** A config with one listener, over TLS by default. */
function text({
  tls = '{ certificates: [{ cert: a.pem, key: a.key }] }',
  listener = 'protocol: https, upstream: api',
  upstream = '',
  more = '',
}) {
  const own = tls === '' ? '' : `, tls: ${tls}`
  return `listeners:
  web: { bind: ":8443", ${listener}${own} }
  ${more}
upstreams:
  api: { servers: ["server.example:443"]${upstream === '' ? '' : `, tls: ${upstream}`} }
`
}
const refuses = async (parts: Parameters<typeof text>[0], message: RegExp) =>
  assert.match((await messagesOf(text(parts))).join('\n'), message)

test('what is left out has safe defaults, and paths begin at the config', async () => {
  const { listeners, upstreams } = await configOf(text({ upstream: 'true' }))
  const [web] = listeners
  assert.deepEqual(
    web?.tls?.certificates.map(({ cert, key, ocsp }) => [cert, key, ocsp]),
    [[join(directory, 'a.pem'), join(directory, 'a.key'), 'off']],
  )
  const { minVersion, maxVersion, unknownName, alpn, tickets, clientAuth, groups, ciphers } = web?.tls ?? assert.fail()
  assert.deepEqual(
    { minVersion, maxVersion, unknownName, alpn, tickets, clientAuth, groups },
    {
      minVersion: '1.2',
      maxVersion: '1.3',
      unknownName: 'default',
      alpn: ['http/1.1'],
      tickets: true,
      clientAuth: null,
      groups: 'X25519:P-256:P-384',
    },
  )
  assert.ok(ciphers.split(':').every((name) => /^ECDHE-(ECDSA|RSA)-.*(GCM|POLY1305)/.test(name)))
  assert.equal(web?.timeouts.handshakeMs, 10_000)
  assert.deepEqual([upstreams[0]?.tls?.verify, upstreams[0]?.tls?.ca, upstreams[0]?.tls?.serverName], [true, null, null])
  const tcp = await configOf(text({ listener: 'protocol: tcp, upstream: api' }))
  assert.deepEqual(tcp.listeners[0]?.tls?.alpn, [])
})

test('a version may be written as a number', async () => {
  const { listeners } = await configOf(text({ tls: '{ internal: true, minVersion: 1.3 }' }))
  assert.equal(listeners[0]?.tls?.minVersion, '1.3')
  await refuses(
    { tls: '{ internal: true, minVersion: "1.1" }' },
    /expected "1.2" or "1.3", found "1.1"; older versions have known weaknesses/,
  )
})

test('https needs tls with a certificate, and other protocols do not take it', async () => {
  const problems = await problemsOf(text({ tls: '' }))
  assert.match(problems.join(), /^weir.yaml:2:35: listeners.web.protocol: https needs tls/)
  await refuses({ tls: '{}' }, /tls: has no certificate; add certificates, acme or internal/)
  await refuses({ tls: '{ certificates: [] }' }, /tls: has no certificate/)
  await refuses({ listener: 'upstream: api' }, /tls: has no effect with protocol http; write protocol: https/)
  await refuses({ listener: 'protocol: tls, upstream: api' }, /tls: has no effect with protocol tls, which passes TLS on unread/)
  await refuses({ tls: '', listener: 'upstream: api, timeouts: { handshake: 1s }' }, /timeouts.handshake: has no effect without tls/)
  assert.deepEqual(await messagesOf(text({ listener: 'protocol: tcp, upstream: api, timeouts: { handshake: 1s }' })), [])
})

test('names that OpenSSL does not know are refused with the nearest one', async () => {
  const withOption = (option: string) => ({ tls: `{ internal: true, ${option} }` })
  await refuses(withOption('groups: "X25519:P-257"'), /groups: "P-257" is no group of a key exchange; did you mean "P-256"/)
  await refuses(withOption('ciphers: ECDHE-RSA-AES128-GCM-SHA257'), /is no cipher of TLS 1.2; did you mean "ECDHE-RSA-AES128-GCM-SHA256"/)
  await refuses(withOption('ciphers: TLS_AES_128_GCM_SHA256'), /is a cipher suite of TLS 1.3; write it in cipherSuites/)
  await refuses(withOption('cipherSuites: TLS_AES_128_GCM_SHA'), /is no cipher suite of TLS 1.3; did you mean "TLS_AES_128_GCM_SHA256"/)
  assert.deepEqual(
    await messagesOf(text(withOption('ciphers: "ECDHE+AESGCM:!aNULL", groups: "P-521", cipherSuites: TLS_AES_256_GCM_SHA384'))),
    [],
  )
})

test('options that exclude each other, or can have no effect, are refused', async () => {
  const withOption = (option: string) => ({ tls: `{ internal: true, ${option} }` })
  await refuses(withOption('minVersion: "1.3", maxVersion: "1.2"'), /minVersion: 1.3 is newer than maxVersion, which is 1.2/)
  await refuses(withOption('minVersion: "1.3", ciphers: HIGH'), /ciphers: has no effect, as minVersion is 1.3/)
  await refuses(withOption('alpn: [h2]'), /alpn\[0\]: "h2" is not spoken on a listener with protocol https/)
  await refuses(withOption('clientAuth: { mode: required }'), /"ca" is missing/)
  await refuses(
    withOption('clientAuth: { mode: required, ca: a, headers: { subject: X-A, fingerprint: x-a } }'),
    /is the same header as subject/,
  )
  await refuses({ upstream: '{ verify: false, ca: a.pem }' }, /ca: has no effect without verify/)
  await refuses({ upstream: '{ minVersion: "1.3", maxVersion: "1.2" }' }, /upstreams.api.tls.minVersion: 1.3 is newer/)
})

test('a certificate by ACME is for the hosts of the routes, and only after one has agreed', async () => {
  const routes =
    'protocol: https, routes: [{ match: { host: [A.example, "*.b.example"] }, upstream: api }, { match: { any: [{ host: c.example }], not: { host: d.example } }, upstream: api }]'
  const { listeners } = await configOf(text({ listener: routes, tls: '{ acme: { agreeToTerms: true, storage: kept, renewBefore: 20% } }' }))
  const acme = listeners[0]?.tls?.acme ?? assert.fail()
  assert.deepEqual(
    [acme.domains, acme.storage, acme.renewBefore, acme.challenge],
    [['a.example', 'c.example'], join(directory, 'kept'), 0.2, 'tls-alpn-01'],
  )
  await refuses({ tls: '{ acme: { domains: [a.example] } }' }, /"agreeToTerms" is missing/)
  await refuses({ tls: '{ acme: { agreeToTerms: true } }' }, /no route of the listener names a host exactly/)
  await refuses(
    { tls: '{ acme: { agreeToTerms: true, domains: ["*.a.example"] } }' },
    /a certificate for a wildcard is issued over DNS only/,
  )
  const overHttp = '{ acme: { agreeToTerms: true, domains: [a.example], challenge: http-01 } }'
  await refuses({ tls: overHttp }, /http-01 needs a listener with protocol http, and there is none/)
  assert.deepEqual(await messagesOf(text({ tls: overHttp, more: 'plain: { bind: ":80", redirectToHttps: true }' })), [])
})

test('a redirect to https is one route, which keeps the host', async () => {
  const actionOf = async (value: string) => {
    const { listeners } = await configOf(text({ more: `plain: { bind: ":80", redirectToHttps: ${value} }` }))
    assert.equal(listeners[1]?.routes.length, 1)
    assert.equal(listeners[1]?.routes[0]?.place.path, 'listeners.plain.redirectToHttps')
    return listeners[1]?.routes[0]?.action
  }
  assert.deepEqual(await actionOf('true'), { kind: 'redirect', to: 'https://{host}{request.uri}', status: 308 })
  assert.deepEqual(await actionOf('8443'), { kind: 'redirect', to: 'https://{host}:8443{request.uri}', status: 308 })
  await refuses(
    { listener: 'protocol: https, redirectToHttps: true' },
    /redirectToHttps: only on a listener with protocol http; this one has protocol https/,
  )
  await refuses(
    { more: 'plain: { bind: ":80", redirectToHttps: true, upstream: api }' },
    /upstream: has no effect, as redirectToHttps answers every request/,
  )
})

test('server names and ALPN route connections whose TLS is ended here', async () => {
  const routes = 'routes: [{ match: { sni: a.example, alpn: h2 }, upstream: api }]'
  assert.deepEqual(await messagesOf(text({ listener: `protocol: tcp, ${routes}` })), [])
  await refuses({ listener: `protocol: tcp, ${routes}`, tls: '' }, /match.sni: only on a listener with protocol tls, or tcp with tls/)
  await refuses({ listener: `protocol: https, ${routes}` }, /match.sni: only on a listener with protocol tls, or tcp with tls/)
})

test('a change of tls is for new handshakes, and drops nothing', async () => {
  const load = { listener: () => 5, server: () => 0 }
  const before = await configOf(text({ upstream: 'true' }))
  assert.deepEqual(planOf(before, await configOf(text({ upstream: '{ verify: true }' })), load), [])
  const after = await configOf(
    text({ tls: '{ certificates: [{ cert: b.pem, key: a.key }], tickets: off }', upstream: '{ serverName: b }' }),
  )
  const steps = planOf(before, after, load)
  assert.deepEqual(
    steps.map(({ how, at }) => [how, at]),
    [
      ['live', 'listeners.web.tls.certificates'],
      ['live', 'listeners.web.tls.tickets'],
      ['live', 'upstreams.api.tls.serverName'],
    ],
  )
  const plain = planOf(before, await configOf(text({ tls: '', listener: 'upstream: api', upstream: 'true' })), load)
  assert.ok(plain.some(({ how, at }) => how === 'drains' && at === 'listeners.web.protocol'))
})
