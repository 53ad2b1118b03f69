// Clients that show a certificate: who is let in, and what the server learns about them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { boardOf } from './lib/board.ts'
import { authority, type Certificate } from './lib/certificates.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { type Echo, startServer } from './lib/server.ts'
import { askSecurely, secureClient } from './lib/tls.ts'
import { until } from './lib/wait.ts'

const ca = await authority(file)
const people = await authority(file, 'weir test people')
const team = await people.intermediate('weir test team')
const strangers = await authority(file, 'weir test people')
const certificate = await ca.issue({ names: ['a.test'] })
const anna = await people.issue({ names: ['anna'], subject: 'CN=anna, O=weir', usage: 'client' })
const bert = await team.issue({ names: ['bert'], subject: 'CN=bert', usage: 'client' })
const stranger = await strangers.issue({ names: ['anna'], subject: 'CN=anna, O=weir', usage: 'client' })
const expired = await people.issue({ names: ['anna'], usage: 'client', from: -30, to: -1 })
const early = await people.issue({ names: ['anna'], usage: 'client', from: 1, to: 30 })
const serverOnly = await people.issue({ names: ['anna'], usage: 'server' })

const server = await startServer(file)
const tls = { certificates: [{ cert: certificate.path, key: certificate.keyPath }] }
const https = { bind: '127.0.0.1:0', protocol: 'https', upstream: 'app' }
const headers = { subject: 'X-Person', fingerprint: 'X-Person-Print' }
const listeners = {
  web: { ...https, tls: { ...tls, clientAuth: { mode: 'optional', ca: people.path } } },
  required: { ...https, tls: { ...tls, clientAuth: { mode: 'required', ca: people.path, headers } } },
  off: { ...https, tls },
}
const REQUIRED = 1
const weir = await startBalancer(file, config({ servers: [server.address], top: { listeners } }))

async function seen(
  scope: Parameters<typeof askSecurely>[0],
  listener: string,
  who: Certificate | null,
  version: 'TLSv1.2' | 'TLSv1.3',
  forged: Record<string, string> = {},
): Promise<Echo['headers']> {
  const shown = who === null ? {} : { cert: who.cert, key: who.key }
  const options = { ca: ca.cert, servername: 'a.test', minVersion: version, maxVersion: version, ...shown }
  const { status, text } = await askSecurely(scope, weir.port(listener), options, forged)
  assert.equal(status, 200)
  return (JSON.parse(text) as Echo).headers
}

const FORGED = { 'X-Client-Cert-Subject': 'CN=root', 'X-Client-Cert-Fingerprint': '00', 'x-person': 'CN=root', 'X-PERSON-PRINT': '00' }

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${version}: the server learns subject and fingerprint of a verified certificate`, async (t) => {
    const optional = await seen(t, 'web', anna, version)
    assert.equal(optional['x-client-cert-subject'], 'O=weir,CN=anna')
    assert.equal(optional['x-client-cert-fingerprint'], anna.fingerprint)
    const required = await seen(t, 'required', anna, version)
    assert.deepEqual([required['x-person'], required['x-person-print']], ['O=weir,CN=anna', anna.fingerprint])
    assert.equal(required['x-client-cert-subject'], undefined)
  })

  test(`${version}: a certificate of an intermediate authority is verified with the chain that the client sends`, async (t) => {
    assert.equal((await seen(t, 'required', bert, version))['x-person'], 'CN=bert')
  })

  test(`${version}: a client without a certificate passes where it is optional, and the server learns nothing`, async (t) => {
    const seenHeaders = await seen(t, 'web', null, version)
    assert.equal(seenHeaders['x-client-cert-subject'], undefined)
    assert.equal(seenHeaders['x-client-cert-fingerprint'], undefined)
  })

  test(`${version}: what a client writes under these names itself is removed`, async (t) => {
    for (const who of [null, anna]) {
      const optional = await seen(t, 'web', who, version, FORGED)
      assert.equal(optional['x-client-cert-subject'], who === null ? undefined : 'O=weir,CN=anna')
      assert.equal(optional['x-client-cert-fingerprint'], who?.fingerprint)
      assert.equal(optional['x-person'], 'CN=root', 'a name that this listener has no use for')
    }
    const required = await seen(t, 'required', anna, version, FORGED)
    assert.deepEqual([required['x-person'], required['x-person-print']], ['O=weir,CN=anna', anna.fingerprint])
  })

  for (const { what, who, listeners: where } of [
    { what: 'no certificate', who: null, listeners: ['required'] },
    { what: 'one of another authority with the same name', who: stranger, listeners: ['required', 'web'] },
    { what: 'an expired one', who: expired, listeners: ['required', 'web'] },
    { what: 'one that is not valid yet', who: early, listeners: ['required', 'web'] },
    { what: 'one that is for servers only', who: serverOnly, listeners: ['required', 'web'] },
  ]) {
    test(`${version}: a client with ${what} is refused with an alert, and no server sees its request`, async (t) => {
      const before = server.seen.length
      for (const listener of where) {
        // A client of TLS 1.3 is done before its certificate was looked at.
        await assert.rejects(seen(t, listener, who, version), /alert|closed|reset|ended/)
      }
      assert.equal(server.seen.length, before)
    })
  }
}

test('refused clients are counted', async (t) => {
  const before = boardOf(weir).refusals(REQUIRED).tlsHandshake
  await assert.rejects(seen(t, 'required', null, 'TLSv1.3'))
  await until(() => boardOf(weir).refusals(REQUIRED).tlsHandshake === before + 1, { what: 'the refusal is counted' })
})

test('a session is resumed with the certificate that it began with, and only on its listener', async (t) => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const options = { ca: ca.cert, servername: 'a.test', minVersion: version, maxVersion: version, cert: anna.cert, key: anna.key }
    const first = await askSecurely(t, weir.port('required'), options)
    const session = first.client.session()
    assert.ok(session !== undefined, 'a session to resume')
    const { client, text } = await askSecurely(t, weir.port('required'), { ...options, session })
    assert.equal(client.isResumed, true)
    assert.equal((JSON.parse(text) as Echo).headers['x-person'], 'O=weir,CN=anna')
    // A session that was agreed on without a certificate does not open the door of another listener.
    const open = await askSecurely(t, weir.port('off'), { ca: ca.cert, servername: 'a.test', minVersion: version, maxVersion: version })
    const stolen = open.client.session()
    assert.ok(stolen !== undefined)
    await assert.rejects(askSecurely(t, weir.port('required'), { ca: ca.cert, servername: 'a.test', maxVersion: version, session: stolen }))
  }
})

test('a client certificate that was never asked for is not sent, and not passed on', async (t) => {
  const client = await secureClient(t, weir.port('off'), { ca: ca.cert, servername: 'a.test', cert: anna.cert, key: anna.key })
  client.request('GET /')
  const { headers: passed } = JSON.parse((await client.readResponse()).text) as Echo
  assert.deepEqual([passed['x-client-cert-subject'], passed['x-person']], [undefined, undefined])
})
