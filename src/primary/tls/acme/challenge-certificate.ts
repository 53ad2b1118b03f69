import { createHash } from 'node:crypto'
import type { TlsCertificate } from '../../../native/contract.ts'
import { makeCertificate } from '../x509/make-certificate.ts'

const DAY_MS = 24 * 60 * 60_000

/** What a listener shows for TLS-ALPN-01 (RFC 8737 3): signed by itself, for this name alone, with the digest of the key authorization. */
export async function challengeCertificate(name: string, keyAuthorization: string): Promise<TlsCertificate> {
  const now = Date.now()
  const made = await makeCertificate(
    {
      subject: 'ACME challenge',
      names: [name],
      notBefore: new Date(now - DAY_MS),
      notAfter: new Date(now + 7 * DAY_MS),
      acmeIdentifier: createHash('sha256').update(keyAuthorization).digest(),
    },
    null,
  )
  return { chain: made.certificate, key: made.key, ocsp: null }
}
