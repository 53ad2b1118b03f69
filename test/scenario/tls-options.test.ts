// Each option of `listeners.*.tls`, looked at with OpenSSL's client from outside.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { authority, type Certificate } from './lib/certificates.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { startServer } from './lib/server.ts'
import { type Negotiated, sClient } from './lib/tls-programs.ts'
import { findTool, folderFor, needsTools } from './lib/tools.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n'

const ca = await authority(file)
const rsa = await ca.issue({ names: ['a.test'], kind: 'rsa' })
const ecdsa = await ca.issue({ names: ['a.test'] })
const pairOf = ({ path, keyPath }: Certificate) => ({ cert: path, key: keyPath })
const certificates = [rsa, ecdsa].map(pairOf)
const server = await startServer(file, (_req, res) => void res.end('here'))

const withTls = (tls: Record<string, unknown>) => ({
  bind: '127.0.0.1:0',
  protocol: 'https',
  upstream: 'app',
  tls: { certificates, ...tls },
})
const listeners: Record<string, unknown> = {
  web: withTls({}),
  only12: withTls({ maxVersion: '1.2' }),
  only13: withTls({ minVersion: '1.3' }),
  ciphers: withTls({ ciphers: 'ECDHE-RSA-AES256-GCM-SHA384', cipherSuites: 'TLS_CHACHA20_POLY1305_SHA256' }),
  groups: withTls({ groups: 'P-384' }),
  alpn: { ...withTls({ alpn: ['weir/2', 'http/1.1'] }), protocol: 'tcp' },
  noAlpn: withTls({ alpn: [] }),
  noTickets: withTls({ tickets: 'off' }),
  stapled: withTls({ certificates: [{ ...pairOf(ecdsa), ocsp: ocspResponse() }] }),
}
const weir = await startBalancer(file, config({ servers: [server.address], top: { listeners } }))

/** A response that says that the certificate is good, for the tests of stapling. */
function ocspResponse(): string {
  const openssl = findTool('openssl')
  if (openssl === undefined) return 'off'
  const folder = folderFor(file, 'ocsp')
  const [index, response] = [join(folder, 'index.txt'), join(folder, 'response.der')]
  writeFileSync(index, `V\t301231235959Z\t\t${ecdsa.serialNumber.toUpperCase()}\tunknown\t/CN=a.test\n`)
  const signer = ['-rsigner', ca.path, '-rkey', ca.keyPath, '-CA', ca.path, '-issuer', ca.path]
  const args = ['ocsp', '-index', index, ...signer, '-cert', ecdsa.path, '-ndays', '7', '-respout', response]
  execFileSync(openssl, args, { stdio: 'pipe' })
  return response
}

async function agreed(listener: string, ...args: string[]): Promise<Negotiated> {
  const end = await sClient(weir.port(listener), ['-servername', 'a.test', '-CAfile', ca.path, ...args], GET)
  assert.ok(end.isAgreed && end.isVerified && end.text.includes('\r\n\r\nhere'), end.text)
  return end
}

async function refused(listener: string, alert: RegExp, ...args: string[]): Promise<void> {
  const end = await sClient(weir.port(listener), ['-servername', 'a.test', ...args])
  assert.equal(end.isAgreed, false, end.text)
  assert.match(end.text, alert)
}

/** A test that needs `openssl`, as all of these do. */
function option(name: string, prove: (t: TestContext) => Promise<void>): void {
  test(name, async (t) => {
    if (needsTools(t, ['openssl']) !== undefined) await prove(t)
  })
}

option('without options TLS 1.3 with X25519 and AES-128-GCM is agreed on, and TLS 1.2 with the same', async () => {
  const newest = await agreed('web')
  assert.deepEqual([newest.version, newest.cipher, newest.group], ['TLSv1.3', 'TLS_AES_128_GCM_SHA256', 'X25519'])
  const older = await agreed('web', '-tls1_2')
  assert.deepEqual([older.version, older.cipher, older.group], ['TLSv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'X25519'])
})

option('TLS 1.1 and older are refused', async () => {
  for (const version of ['-tls1', '-tls1_1']) await refused('web', /alert protocol version/, version, '-cipher', 'ALL:@SECLEVEL=0')
})

for (const cipher of ['AES128-GCM-SHA256', 'ECDHE-RSA-AES128-SHA256', 'ECDHE-ECDSA-AES128-SHA', 'DHE-RSA-AES128-GCM-SHA256', 'aNULL']) {
  option(`TLS 1.2 with ${cipher} alone is refused by default`, async () => {
    await refused('web', /alert handshake failure/, '-tls1_2', '-cipher', `${cipher}:@SECLEVEL=0`)
  })
}

option('minVersion and maxVersion shut the other versions out', async () => {
  assert.equal((await agreed('only12')).version, 'TLSv1.2')
  await refused('only12', /alert protocol version/, '-tls1_3')
  assert.equal((await agreed('only13')).version, 'TLSv1.3')
  await refused('only13', /alert protocol version/, '-tls1_2')
})

option('ciphers are those of TLS 1.2, cipherSuites those of 1.3, and no others', async () => {
  assert.equal((await agreed('ciphers', '-tls1_2')).cipher, 'ECDHE-RSA-AES256-GCM-SHA384')
  assert.equal((await agreed('ciphers', '-tls1_3')).cipher, 'TLS_CHACHA20_POLY1305_SHA256')
  await refused('ciphers', /alert handshake failure/, '-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256')
  await refused('ciphers', /alert handshake failure/, '-tls1_3', '-ciphersuites', 'TLS_AES_128_GCM_SHA256')
})

option("the server's order of ciphers decides, except about ChaCha20 for a client that prefers it", async () => {
  const [small, big, mobile] = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305']
  assert.equal((await agreed('web', '-tls1_2', '-cipher', `${big}:${small}:${mobile}`)).cipher, small)
  // A client that puts it first has no hardware for AES.
  assert.equal((await agreed('web', '-tls1_2', '-cipher', `${mobile}:${big}:${small}`)).cipher, mobile)
})

option('groups are those of the key exchange, and no others', async () => {
  for (const version of ['-tls1_2', '-tls1_3']) {
    assert.equal((await agreed('groups', version)).group, 'secp384r1')
    await refused('groups', /alert handshake failure/, version, '-groups', 'X25519')
    assert.equal((await agreed('web', version, '-groups', 'P-384:P-256')).isAgreed, true)
    await refused('web', /alert handshake failure/, version, '-groups', 'P-521')
  }
})

option('ALPN: http/1.1 unless told otherwise, the server prefers, and a client with others only is refused', async () => {
  assert.equal((await agreed('web', '-alpn', 'h2,http/1.1')).alpn, 'http/1.1')
  assert.equal((await agreed('web')).alpn, '')
  await refused('web', /alert no application protocol/, '-alpn', 'h2')
  assert.equal((await agreed('alpn', '-alpn', 'http/1.1,weir/2')).alpn, 'weir/2')
  assert.equal((await agreed('noAlpn', '-alpn', 'h2')).alpn, '')
})

option('tickets are given unless they are off; then sessions of 1.2 are still resumed by their id', async (t) => {
  const ticket = /TLS session ticket:/
  assert.match((await agreed('web', '-tls1_2')).text, ticket)
  assert.match((await agreed('web', '-tls1_3')).text, ticket)
  const without = await agreed('noTickets', '-tls1_2')
  assert.doesNotMatch(without.text, ticket)
  const session = join(folderFor(t, 'session'), 'session.pem')
  await agreed('noTickets', '-tls1_2', '-sess_out', session)
  assert.equal((await agreed('noTickets', '-tls1_2', '-sess_in', session)).isResumed, true)
})

option('compression and renegotiation by the client are off', async () => {
  const { text } = await agreed('web', '-tls1_2', '-comp')
  assert.match(text, /Compression: NONE/)
  assert.match(text, /Secure Renegotiation IS supported/)
})

option('a stapled OCSP response reaches clients that ask for it, and they believe it', async () => {
  for (const version of ['-tls1_2', '-tls1_3']) {
    const { text } = await agreed('stapled', version, '-status')
    assert.match(text, /OCSP Response Status: successful[\s\S]*Cert Status: good/)
  }
  assert.match((await agreed('web', '-status')).text, /OCSP response: no response sent/)
})
