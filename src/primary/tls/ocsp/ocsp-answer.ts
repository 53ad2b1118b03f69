/** Reads and believes a responder's answer (RFC 6960 4.2), or says why not. */
import { verify, X509Certificate } from 'node:crypto'
import { childrenOf, DerError, type Element, expect, oidText, readWhole, tag, timeOf } from './der.ts'
import { type OcspQuestion, SHA1 } from './ocsp-question.ts'

/** An answer that says `good`, to be stapled. Times in milliseconds since 1970. */
export interface OcspAnswer {
  der: Buffer
  thisUpdate: number
  nextUpdate: number
}

/** What no clock is wrong by. */
const SKEW_MS = 5 * 60_000
const BASIC = '1.3.6.1.5.5.7.48.1.1'
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9'
const statuses = ['successful', 'malformed request', 'internal error', 'try later', '', 'a signature is required', 'unauthorized']
/** Of node's `verify`, by the algorithm of the signature. SHA-1 is not among them. */
const digests: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
}

/** @throws with the reason in words, when the answer is not one that may be stapled at this time */
export function ocspAnswer(der: Buffer, question: OcspQuestion, now: number): OcspAnswer {
  try {
    const basic = childrenOf(basicOf(der))
    const [data, algorithm, signature, certificates] = basic
    const body = expect(data, tag.sequence)
    checkSignature(body, { algorithm, signature, certificates, question, now })
    return { der, ...goodOf(body, question, now) }
  } catch (error) {
    if (error instanceof DerError) throw new Error(`its answer is broken: ${error.message}`, { cause: error })
    throw error
  }
}

function basicOf(der: Buffer): Element {
  const [status, bytes] = childrenOf(expect(readWhole(der), tag.sequence))
  const code = expect(status, tag.enumerated).content[0] ?? -1
  if (code !== 0) throw new Error(`it answers "${statuses[code] || `status ${code}`}"`)
  const [type, basic] = childrenOf(readWhole(expect(bytes, 0xa0).content))
  if (oidText(type) !== BASIC) throw new Error('its answer is of an unknown kind')
  return expect(readWhole(expect(basic, tag.octetString).content), tag.sequence)
}

interface Signed {
  algorithm: Element | undefined
  signature: Element | undefined
  certificates: Element | undefined
  question: OcspQuestion
  now: number
}

function checkSignature(body: Element, { algorithm, signature, certificates, question, now }: Signed): void {
  const kind = oidText(childrenOf(expect(algorithm, tag.sequence))[0])
  const digest = digests[kind]
  if (digest === undefined) throw new Error(`its answer is signed with ${kind}, which is not known here`)
  const bits = expect(signature, tag.bitString).content.subarray(1)
  const signers = [question.issuer, ...delegates(certificates, question, now)]
  if (!signers.some(({ publicKey }) => isSignedBy(digest, body.whole, publicKey, bits)))
    throw new Error('its answer is not signed by the issuer of the certificate, or by somebody in its name')
}

/** Certificates in the answer whose owners the issuer lets sign for it (RFC 6960 4.2.2.2). */
function delegates(certificates: Element | undefined, { issuer }: OcspQuestion, now: number): X509Certificate[] {
  if (certificates?.tag !== 0xa0) return []
  return childrenOf(readWhole(certificates.content))
    .slice(0, 4)
    .map(({ whole }) => parsed(whole))
    .filter((one) => one !== null)
    .filter((one) => one.checkIssued(issuer) && one.verify(issuer.publicKey))
    .filter((one) => one.keyUsage?.includes(OCSP_SIGNING) === true)
    .filter((one) => Date.parse(one.validFrom) <= now + SKEW_MS && Date.parse(one.validTo) > now)
}

function parsed(der: Buffer): X509Certificate | null {
  try {
    return new X509Certificate(der)
  } catch {
    return null
  }
}

function isSignedBy(digest: string | null, bytes: Buffer, key: X509Certificate['publicKey'], signature: Buffer): boolean {
  try {
    return verify(digest, bytes, key, signature)
  } catch {
    // A key of another kind.
    return false
  }
}

/** What is said about our certificate. */
function goodOf(body: Element, question: OcspQuestion, now: number): { thisUpdate: number; nextUpdate: number } {
  const parts = childrenOf(body)
  // Version (when it is not 1), who signs, when; then the answers.
  const answers = childrenOf(expect(parts[parts[0]?.tag === 0xa0 ? 3 : 2], tag.sequence))
  const ours = answers.map(childrenOf).find(([id]) => isAbout(id, question))
  if (ours === undefined) throw new Error('its answer is about another certificate')
  const [, status, thisElement, nextElement] = ours
  if (status?.tag === 0xa1) throw new Error('it says that the certificate is REVOKED')
  if (status?.tag !== 0x80) throw new Error('it does not know the certificate')
  if (nextElement?.tag !== 0xa0) throw new Error('its answer does not say until when it is good')
  const [thisUpdate, nextUpdate] = [timeOf(thisElement), timeOf(readWhole(nextElement.content))]
  if (thisUpdate > now + SKEW_MS) throw new Error(`its answer is of the future: ${new Date(thisUpdate).toISOString()}`)
  if (nextUpdate <= now) throw new Error(`its answer was good until ${new Date(nextUpdate).toISOString()}`)
  return { thisUpdate, nextUpdate }
}

function isAbout(found: Element | undefined, { id }: OcspQuestion): boolean {
  const [algorithm, nameHash, keyHash, serialNumber] = childrenOf(expect(found, tag.sequence))
  if (oidText(childrenOf(expect(algorithm, tag.sequence))[0]) !== SHA1) return false
  return (
    expect(nameHash, tag.octetString).content.equals(id.issuerNameHash) &&
    expect(keyHash, tag.octetString).content.equals(id.issuerKeyHash) &&
    expect(serialNumber, tag.integer).content.equals(id.serialNumber)
  )
}
