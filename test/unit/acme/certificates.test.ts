import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { X509Certificate as Parsed } from '@peculiar/x509'
import { challengeCertificate } from '../../../src/primary/tls/acme/challenge-certificate.ts'
import { readAuthority } from '../../../src/primary/tls/internal-ca/authority.ts'
import { internalCa } from '../../../src/primary/tls/internal-ca/internal-ca.ts'
import { placeholderCertificate } from '../../../src/primary/tls/internal-ca/placeholder.ts'
import { until } from '../../scenario/lib/wait.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-internal-ca-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('a challenge certificate says what RFC 8737 wants', async () => {
  const { chain } = await challengeCertificate('a.example', 'token.thumbprint')
  const extension = new Parsed(chain).getExtension('1.3.6.1.5.5.7.1.31')
  assert.equal(extension?.critical, true)
  const digest = createHash('sha256').update('token.thumbprint').digest('hex')
  assert.equal(Buffer.from(extension.value).toString('hex'), `0420${digest}`)
  assert.equal(new X509Certificate(chain).subjectAltName, 'DNS:a.example')
})

test('a placeholder is for its names, and nobody believes it', async () => {
  const { chain, key } = await placeholderCertificate(['a.example', '127.0.0.1'])
  const made = new X509Certificate(chain)
  assert.equal(made.subjectAltName, 'DNS:a.example, IP Address:127.0.0.1')
  assert.equal(made.ca, false)
  assert.match(key, /^-----BEGIN PRIVATE KEY-----/)
})

test('the authority signs a certificate for the names, for a week; the next start has the same one at once', async (t) => {
  const config = { listener: 'web', names: ['localhost', '*.dev.example', '127.0.0.1', '::1'], storage: join(folder, 'ca') }
  const told: string[] = []
  let changes = 0
  const source = internalCa(config, { changed: () => void changes++, log: (line) => void told.push(line) })
  t.after(() => source.close())
  assert.deepEqual(source.current(), [])
  source.start()
  await until(() => source.current().length === 1)
  const [certificate] = source.current()
  const leaf = new X509Certificate(certificate?.chain ?? '')
  const root = new X509Certificate(readAuthority(config.storage)?.certificate ?? '')
  assert.ok(leaf.checkIssued(root) && leaf.verify(root.publicKey))
  assert.ok(leaf.checkHost('localhost') && leaf.checkHost('x.dev.example') && leaf.checkIP('127.0.0.1') && leaf.checkIP('::1'))
  const days = (Date.parse(leaf.validTo) - Date.now()) / 86_400_000
  assert.ok(days > 6.9 && days < 7.1, `${days} days`)
  assert.deepEqual([changes, told.length], [1, 1])
  assert.match(told[0] ?? '', /weir trust/)
  assert.doesNotMatch(told[0] ?? '', /PRIVATE/)

  const next = internalCa(config, { changed: () => assert.fail('nothing has changed'), log: (line) => assert.fail(line) })
  t.after(() => next.close())
  assert.equal(next.current()[0]?.chain, certificate?.chain)
})
