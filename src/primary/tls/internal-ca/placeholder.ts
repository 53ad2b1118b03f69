import type { TlsCertificate } from '../../../native/contract.ts'
import { makeCertificate } from '../x509/make-certificate.ts'

const DAY_MS = 24 * 60 * 60_000
/** Whoever's process runs longer than that without a real certificate has other troubles. */
const LIFE_MS = 365 * DAY_MS

/**
 * What a listener shows while it has no certificate yet: one that signs itself and that nobody believes, so that clients see what is
 * missing. In memory only.
 */
export async function placeholderCertificate(names: readonly string[]): Promise<TlsCertificate> {
  const now = Date.now()
  const life = { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + LIFE_MS) }
  const made = await makeCertificate({ subject: 'weir: no certificate yet', names, ...life }, null)
  return { chain: made.certificate, key: made.key, ocsp: null }
}
