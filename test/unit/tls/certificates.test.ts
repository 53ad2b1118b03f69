import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { BadCertificate, readPair } from '../../../src/shared/tls/certificate-pair.ts'
import { certificateSets } from '../../../src/shared/tls/certificate-sets.ts'
import { isIssuedBy, stateOf } from '../../../src/shared/tls/certificate-state.ts'
import { pemBlocks } from '../../../src/shared/tls/pem.ts'
import { make } from './lib/make-certificate.ts'

const DAY_MS = 86_400_000
const nobody = () => false

function fault(cert: string, key: string): string {
  try {
    readPair(cert, key)
  } catch (error) {
    assert.ok(error instanceof BadCertificate)
    return `${error.file}: ${error.message}`
  }
  return assert.fail('the pair was taken')
}

test('a pair tells its names, its kind of key and its life, and keeps only what is served', async () => {
  const made = await make({ names: ['A.example', '*.b.example', '10.0.0.1', '::1'], kind: 'rsa' })
  const { facts, certificate, chain } = readPair(`some words\n${made.key}${made.cert}`, `${made.cert}${made.key}`)
  assert.deepEqual(facts.dns, ['a.example', '*.b.example'])
  assert.deepEqual(facts.ips, ['10.0.0.1', '0:0:0:0:0:0:0:1'])
  assert.equal(facts.keyKind, 'rsa')
  assert.ok(Math.abs(facts.notAfterMs - Date.now() - 365 * DAY_MS) < 10_000)
  assert.equal(chain.length, 1)
  assert.doesNotMatch(certificate.chain, /PRIVATE/)
  assert.deepEqual(
    pemBlocks(certificate.key).map(({ label }) => label),
    ['PRIVATE KEY'],
  )
})

test('a name of the subject counts only where there is no other', async () => {
  const old = readPair(...(await pemOf({ subject: 'old.example' })))
  assert.deepEqual([old.facts.dns, old.facts.areOfSubject], [['old.example'], true])
  const today = readPair(...(await pemOf({ subject: 'old.example', names: ['new.example'] })))
  assert.deepEqual([today.facts.dns, today.facts.areOfSubject], [['new.example'], false])
})

test('what cannot be served is named with the file that is at fault', async () => {
  const [one, other] = [await make({ names: ['a.example'] }), await make({ names: ['a.example'] })]
  assert.equal(fault(one.cert, other.key), 'key: this key does not belong to the certificate')
  assert.equal(fault('', one.key), 'cert: is empty')
  assert.match(fault('no words of PEM', one.key), /^cert: is not PEM/)
  assert.equal(fault(one.key, one.key), 'cert: holds no certificate, but: PRIVATE KEY')
  assert.equal(fault(one.cert, one.cert), 'key: holds no private key, but: CERTIFICATE')
  assert.match(
    fault(one.cert.replace(/\n[A-Za-z0-9+/]{20}/, '\n////////////////////'), one.key),
    /^cert: certificate 1 in it cannot be read/,
  )
  const locked = createPrivateKey(one.key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' })
  assert.match(fault(one.cert, String(locked)), /^key: the key has a passphrase/)
  assert.doesNotMatch(fault(one.cert, one.key.replace(/\n[A-Za-z0-9+/]{20}/, '\n////////////////////')), /\/\/\/\//)
})

test('a chain is complete when each certificate issued the one before it, up to an authority', async () => {
  const root = await make({ subject: 'root', isAuthority: true })
  const middle = await make({ subject: 'middle', isAuthority: true, by: root })
  const leaf = await make({ names: ['a.example'], by: middle })
  const warningsOf = (cert: string, isKnown: (one: X509Certificate) => boolean) => {
    return stateOf(readPair(cert, leaf.key), Date.now(), isKnown).warnings.join('\n')
  }
  const knowsRoot = (one: X509Certificate) => isIssuedBy(one, new X509Certificate(root.cert))
  assert.equal(warningsOf(leaf.cert + middle.cert, knowsRoot), '')
  assert.equal(warningsOf(leaf.cert + middle.cert + root.cert, nobody), '')
  assert.match(warningsOf(leaf.cert, knowsRoot), /^incomplete chain: who issued the last certificate in it, "middle", is neither in it/)
  assert.match(
    warningsOf(leaf.cert + root.cert, knowsRoot),
    /^incomplete chain: certificate 2 in it \("root"\) did not issue the one before it, "middle" did/,
  )
})

test('the end of a certificate is told a month before, or when a third of a short life is left', async () => {
  const stateWith = async (fromMs: number, untilMs: number) => {
    return stateOf(readPair(...(await pemOf({ names: ['a.example'], fromMs, untilMs }))), Date.now(), nobody)
  }
  assert.deepEqual(await stateWith(-DAY_MS, 40 * DAY_MS), { problem: null, warnings: [] })
  assert.match((await stateWith(-100 * DAY_MS, 20.5 * DAY_MS)).warnings.join(), /expires in 20 days, on 20/)
  assert.deepEqual((await stateWith(-1 * DAY_MS, 5 * DAY_MS)).warnings, [])
  assert.match((await stateWith(-5 * DAY_MS, 1 * DAY_MS)).warnings.join(), /expires in 2[34] hours/)
  assert.match((await stateWith(-5 * DAY_MS, -DAY_MS)).problem ?? '', /^the certificate expired on 20\d\d-/)
  assert.match((await stateWith(DAY_MS, 5 * DAY_MS)).problem ?? '', /^the certificate is not valid before 20/)
})

test('certificates for the same names stand side by side, and a name belongs to the first that is for it', () => {
  const member = (keyKind: string, dns: string[]) => ({ certificate: { chain: '', key: '', ocsp: null }, facts: { dns, ips: [], keyKind } })
  const rsa = member('rsa', ['a.example', 'b.example'])
  const ec = member('ec', ['b.example', 'a.example'])
  const wide = member('ec', ['*.example', 'a.example'])
  const second = member('rsa', ['a.example', 'b.example'])
  const covered = member('ec', ['b.example'])
  const { sets, names, unused } = certificateSets([rsa, wide, ec, second, covered])
  assert.deepEqual(sets, [[rsa, ec], [wide], [covered]])
  assert.deepEqual(names, [
    { name: 'a.example', set: 0 },
    { name: 'b.example', set: 0 },
    { name: '*.example', set: 1 },
  ])
  assert.deepEqual(unused, [second, covered])
})

async function pemOf(wish: Parameters<typeof make>[0]): Promise<[cert: string, key: string]> {
  const { cert, key } = await make(wish)
  return [cert, key]
}
