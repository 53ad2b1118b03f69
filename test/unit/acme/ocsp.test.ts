import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { TlsCertificate } from '../../../src/native/contract.ts'
import { askResponder } from '../../../src/primary/tls/ocsp/ask-responder.ts'
import { childrenOf, DerError, element, oidText, readElement, readWhole, tag, timeOf } from '../../../src/primary/tls/ocsp/der.ts'
import { ocspAnswer } from '../../../src/primary/tls/ocsp/ocsp-answer.ts'
import { ocspQuestion, requestOf } from '../../../src/primary/tls/ocsp/ocsp-question.ts'
import { ocspStaples, refreshDelayMs } from '../../../src/primary/tls/ocsp/ocsp-staples.ts'
import { freePort } from '../../scenario/lib/listening.ts'
import { findTool, folderFor, startTool } from '../../scenario/lib/tools.ts'
import { until } from '../../scenario/lib/wait.ts'

const HOUR = 3_600_000
const openssl = findTool('openssl')
const skip = openssl === undefined ? 'needs openssl, which is not installed' : false

test('DER is written and read', () => {
  for (const length of [0, 1, 127, 128, 255, 256, 70_000]) {
    const found = readWhole(element(tag.octetString, Buffer.alloc(length, 7)))
    assert.deepEqual([found.tag, found.content.length], [tag.octetString, length])
  }
  assert.equal(oidText(readWhole(Buffer.from('06092a864886f70d01010b', 'hex'))), '1.2.840.113549.1.1.11')
  assert.equal(timeOf(readWhole(element(tag.generalizedTime, Buffer.from('20261122010830Z')))), Date.UTC(2026, 10, 22, 1, 8, 30))
})

test('DER that is cut, oversized or not DER is refused', () => {
  for (const hex of ['', '30', '3003', '300302', '3080', '30850000000001', '3084ffffffff00', '1f8101', '30ff']) {
    assert.throws(() => childrenOf(readElement(Buffer.from(hex, 'hex'))), DerError, hex)
  }
  assert.throws(() => readWhole(Buffer.from('050000', 'hex')), DerError)
  assert.throws(() => timeOf(readWhole(element(tag.generalizedTime, Buffer.from('tomorrow')))), DerError)
})

test('an answer is asked for again at half of its validity; an old one sooner, though not at once', () => {
  const answer = { thisUpdate: 0, nextUpdate: 96 * HOUR }
  assert.equal(refreshDelayMs(answer, 0, 0), 48 * HOUR)
  assert.equal(refreshDelayMs(answer, 0, 1), 57.6 * HOUR)
  assert.equal(refreshDelayMs(answer, 90 * HOUR, 0), HOUR)
  assert.equal(refreshDelayMs(answer, 96 * HOUR - 1_000, 0), 1_000)
})

interface Authority {
  folder: string
  port: number
  good: TlsCertificate
  revoked: TlsCertificate
}

/** An authority with a certificate that is good and one that is revoked, and an OCSP responder whose answers `signer` signs. */
async function authority(t: TestContext, signer: 'ca' | 'delegate' | 'stranger'): Promise<Authority> {
  const folder = folderFor(t, 'ocsp')
  const port = await freePort()
  const run = (...args: string[]) => execFileSync(openssl ?? '', args, { cwd: folder, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  run('req', '-x509', ...key, '-subj', '/CN=authority', '-days', '3', '-keyout', 'ca.key', '-out', 'ca.pem')
  const issue = (name: string, serial: number, extensions: string) => {
    writeFileSync(join(folder, 'extensions'), extensions)
    run('req', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`)
    const from = ['-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', String(serial), '-days', '2']
    run('x509', '-req', ...from, '-extfile', 'extensions', '-out', `${name}.pem`)
  }
  const access = `authorityInfoAccess=OCSP;URI:http://127.0.0.1:${port}/ocsp\n`
  issue('good', 0xa1, `subjectAltName=DNS:good.example\n${access}`)
  issue('revoked', 0xa2, `subjectAltName=DNS:revoked.example\n${access}`)
  issue('delegate', 0xa3, 'extendedKeyUsage=OCSPSigning\n')
  issue('stranger', 0xa4, 'extendedKeyUsage=serverAuth\n')
  const rows = ['V\t301231000000Z\t\tA1\tunknown\t/CN=good', 'R\t301231000000Z\t260101000000Z\tA2\tunknown\t/CN=revoked']
  writeFileSync(join(folder, 'index.txt'), `${rows.join('\n')}\n`)
  const pem = (name: string) => readFileSync(join(folder, name), 'utf8')
  const certificate = (name: string) => ({ chain: pem(`${name}.pem`) + pem('ca.pem'), key: pem(`${name}.key`), ocsp: null })
  const places = ['-index', 'index.txt', '-CA', 'ca.pem', '-rsigner', `${signer}.pem`, '-rkey', `${signer}.key`]
  const args = places.map((word) => (/\.(txt|pem|key)$/.test(word) ? join(folder, word) : word))
  await startTool(t, openssl ?? '', ['ocsp', '-port', String(port), ...args, '-ndays', '2'], { ports: [] })
  const good = certificate('good')
  // It waits for ever for the request of a connection that is closed without one, so it is asked instead of tried.
  await until(() => ask(good), { what: 'the responder answers' })
  return { folder, port, good, revoked: certificate('revoked') }
}

const ask = (certificate: TlsCertificate) => {
  const question = ocspQuestion(certificate)
  return askResponder(question.responder, requestOf(question), AbortSignal.timeout(5_000))
}

test('a responder’s good answer is believed, and OpenSSL agrees', { skip }, async (t) => {
  const { folder, good, revoked } = await authority(t, 'ca')
  const question = ocspQuestion(good)
  const der = await ask(good)
  const answer = ocspAnswer(der, question, Date.now())
  assert.ok(Math.abs(answer.nextUpdate - answer.thisUpdate - 48 * HOUR) < 1_000)
  writeFileSync(join(folder, 'answer.der'), der)
  const verdict = ['ocsp', '-respin', 'answer.der', '-issuer', 'ca.pem', '-cert', 'good.pem', '-CAfile', 'ca.pem', '-no_nonce']
  assert.match(execFileSync(openssl ?? '', verdict, { cwd: folder, stdio: 'pipe' }).toString(), /good\.pem: good/)

  const refusedFor = (reason: RegExp, now: number, other = question) => assert.throws(() => ocspAnswer(der, other, now), reason)
  refusedFor(/was good until/, answer.nextUpdate + 1)
  refusedFor(/of the future/, answer.thisUpdate - HOUR)
  refusedFor(/about another certificate/, Date.now(), ocspQuestion(revoked))
  await assert.rejects(async () => ocspAnswer(await ask(revoked), ocspQuestion(revoked), Date.now()), /REVOKED/)
  const unasked = Buffer.from('30030a0106', 'hex')
  assert.throws(() => ocspAnswer(unasked, question, Date.now()), /it answers "unauthorized"/)

  // Whatever becomes of the bytes on the way: refused with a reason, or the same.
  for (let at = 0; at < der.length; at++) {
    assert.throws(() => ocspAnswer(der.subarray(0, at), question, Date.now()), { name: 'Error' })
    const changed = Buffer.from(der)
    changed[at] = (changed[at] as number) ^ 0x41
    try {
      assert.equal(ocspAnswer(changed, question, Date.now()).nextUpdate, answer.nextUpdate)
    } catch (error) {
      assert.equal((error as Error).name, 'Error', String((error as Error).stack))
    }
  }
})

test('who may sign for the issuer is believed, others are not', { skip }, async (t) => {
  const { good } = await authority(t, 'delegate')
  ocspAnswer(await ask(good), ocspQuestion(good), Date.now())
  const other = await authority(t, 'stranger')
  const der = await ask(other.good)
  assert.throws(() => ocspAnswer(der, ocspQuestion(other.good), Date.now()), /not signed by the issuer/)
})

test('a certificate that is watched gets its staple; a revoked one gets none, and the log says so', { skip }, async (t) => {
  const { good, revoked, port } = await authority(t, 'ca')
  const lines: string[] = []
  let changes = 0
  const staples = ocspStaples({ changed: () => void changes++, log: (line) => void lines.push(line) }, { firstMs: 20, mostMs: 40 })
  t.after(() => staples.close())
  const lonely = { ...good, chain: good.chain.slice(0, good.chain.indexOf('-----END') + 25) }
  staples.watch([good, revoked, lonely])
  staples.start()
  await until(() => staples.stapleFor(good) !== null)
  assert.equal(changes, 1)
  await until(() => lines.some((line) => /REVOKED/.test(line)))
  assert.equal(staples.stapleFor(revoked), null)
  assert.ok(lines.some((line) => /good\.example: the certificate of its issuer is not in the same file/.test(line)))
  staples.watch([revoked])
  assert.equal(staples.stapleFor(good), null)
  assert.ok(lines.some((line) => line.includes(`from 127.0.0.1:${port}: `)))
})

test('a responder that is down or answers nonsense is asked again', { skip }, async (t) => {
  const { good } = await authority(t, 'ca')
  const real = await ask(good)
  const answers: [status: number, body: Buffer][] = [
    [500, Buffer.alloc(0)],
    [200, Buffer.from('hello')],
    [200, Buffer.alloc(100_000)],
    [200, real],
  ]
  const server = createServer((request, response) => {
    const [status, body] = answers.shift() ?? [404, Buffer.alloc(0)]
    assert.equal(request.headers['content-type'], 'application/ocsp-request')
    request.resume()
    response.writeHead(status).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const reasons: string[] = []
  for (let i = 0; i < 3; i++) {
    await assert.rejects(
      async () => ocspAnswer(await askResponder(url, Buffer.alloc(1), AbortSignal.timeout(5_000)), ocspQuestion(good), Date.now()),
      (error: Error) => reasons.push(error.message) > 0,
    )
  }
  assert.deepEqual(
    reasons.map((reason) => /status 500|is broken|more than 64 KiB/.test(reason)),
    [true, true, true],
    reasons.join('\n'),
  )
  ocspAnswer(await askResponder(url, Buffer.alloc(1), AbortSignal.timeout(5_000)), ocspQuestion(good), Date.now())
})
