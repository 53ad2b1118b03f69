/** What is asked about a certificate, and where (RFC 6960 4.1). */
import { createHash, X509Certificate } from 'node:crypto'
import type { TlsCertificate } from '../../../native/contract.ts'
import { childrenOf, type Element, element, expect, readWhole, tag } from './der.ts'

export interface OcspQuestion {
  /** URL of the responder. */
  responder: string
  /** Whose key signs the answer, or the certificate of who signs it. */
  issuer: X509Certificate
  id: CertificateId
}

/** Names a certificate by its issuer and number. The hashes are SHA-1: that is what every responder knows (RFC 5019 2.1.1). */
export interface CertificateId {
  issuerNameHash: Buffer
  issuerKeyHash: Buffer
  /** Content of an INTEGER. */
  serialNumber: Buffer
}

export const SHA1 = '1.3.14.3.2.26'
const SHA1_IDENTIFIER = Buffer.from([0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00])
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** @throws with the reason in words, when nobody can be asked about this certificate */
export function ocspQuestion({ chain }: Pick<TlsCertificate, 'chain'>): OcspQuestion {
  const [own, ...others] = (chain.match(PEM_CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem))
  if (own === undefined) throw new Error('there is no certificate in it')
  const responder = /^OCSP - URI:(https?:\/\/\S+)$/m.exec(own.infoAccess ?? '')?.[1]
  if (responder === undefined) throw new Error('it names no OCSP responder; set `ocsp: off`')
  const issuer = others.find((other) => own.checkIssued(other) && own.verify(other.publicKey))
  if (issuer === undefined) throw new Error('the certificate of its issuer is not in the same file')
  return { responder, issuer, id: idOf(own, issuer) }
}

/** The request in DER. Without a nonce: the answer is for many. */
export function requestOf({ id }: OcspQuestion): Buffer {
  const certId = element(
    tag.sequence,
    SHA1_IDENTIFIER,
    element(tag.octetString, id.issuerNameHash),
    element(tag.octetString, id.issuerKeyHash),
    element(tag.integer, id.serialNumber),
  )
  const requestList = element(tag.sequence, element(tag.sequence, certId))
  return element(tag.sequence, element(tag.sequence, requestList))
}

function idOf(own: X509Certificate, issuer: X509Certificate): CertificateId {
  const { subject, publicKey } = partsOf(issuer)
  // The bits of the key, without the count of unused ones in front.
  const key = expect(childrenOf(publicKey)[1], tag.bitString).content.subarray(1)
  return { issuerNameHash: sha1(subject.whole), issuerKeyHash: sha1(key), serialNumber: partsOf(own).serialNumber.content }
}

/** Of its TBSCertificate (RFC 5280 4.1): version, number, algorithm, issuer, validity, subject, key. */
function partsOf({ raw }: X509Certificate): Record<'serialNumber' | 'subject' | 'publicKey', Element> {
  const parts = childrenOf(expect(childrenOf(readWhole(raw))[0], tag.sequence))
  const at = parts[0]?.tag === 0xa0 ? 1 : 0
  return {
    serialNumber: expect(parts[at], tag.integer),
    subject: expect(parts[at + 4], tag.sequence),
    publicKey: expect(parts[at + 5], tag.sequence),
  }
}

function sha1(bytes: Buffer): Buffer {
  return createHash('sha1').update(bytes).digest()
}
