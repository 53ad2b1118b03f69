import type { X509Certificate } from 'node:crypto'
import type { CertificateFacts } from './certificate-pair.ts'

const DAY_MS = 86_400_000
const soonMs = 30 * DAY_MS

/** Whether a certificate can be served now: what is wrong with it, else what may soon be. Sentences that follow its file's name. */
export interface CertificateState {
  problem: string | null
  warnings: string[]
}

/** `isKnown`: whether one of the authorities of this machine issued the certificate. */
export function stateOf(
  { facts, chain }: { facts: CertificateFacts; chain: readonly X509Certificate[] },
  nowMs: number,
  isKnown: (certificate: X509Certificate) => boolean,
): CertificateState {
  const problem = timeProblem(facts, nowMs)
  if (problem !== null) return { problem, warnings: [] }
  const warnings = [expiryWarning(facts, nowMs), chainWarning(chain, isKnown), nameWarning(facts)]
  return { problem: null, warnings: warnings.filter((warning) => warning !== null) }
}

/** Whether it was made by itself. */
export function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey)
}

/** Whether `issuer` signed it. */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

function timeProblem({ notBeforeMs, notAfterMs }: CertificateFacts, nowMs: number): string | null {
  if (nowMs > notAfterMs) return `the certificate expired on ${dayOf(notAfterMs)}`
  return nowMs < notBeforeMs ? `the certificate is not valid before ${new Date(notBeforeMs).toISOString()}: is the clock right?` : null
}

/** Short-lived ones would always be near their end, so they have a third of their life. */
function expiryWarning({ notBeforeMs, notAfterMs }: CertificateFacts, nowMs: number): string | null {
  const leftMs = notAfterMs - nowMs
  if (leftMs > Math.min(soonMs, (notAfterMs - notBeforeMs) / 3)) return null
  const days = Math.floor(leftMs / DAY_MS)
  const when = days >= 2 ? `in ${days} days` : `in ${Math.max(1, Math.floor(leftMs / 3_600_000))} hours`
  return `the certificate expires ${when}, on ${dayOf(notAfterMs)}`
}

/** Clients have to be able to get from the certificate to an authority by what they are given. */
function chainWarning(chain: readonly X509Certificate[], isKnown: (certificate: X509Certificate) => boolean): string | null {
  for (const [index, certificate] of chain.entries()) {
    const next = chain[index + 1]
    if (next === undefined) break
    if (!isIssuedBy(certificate, next))
      return `incomplete chain: certificate ${index + 2} in it (${nameOf(next.subject)}) did not issue the one before it, ${nameOf(certificate.issuer)} did`
  }
  const last = chain.at(-1)
  if (last === undefined || isSelfSigned(last) || isKnown(last)) return null
  return `incomplete chain: who issued the last certificate in it, ${nameOf(last.issuer)}, is neither in it nor an authority of this machine`
}

function nameWarning({ dns, ips, areOfSubject }: CertificateFacts): string | null {
  if (areOfSubject) return 'the certificate has no alternative names: clients of today refuse it'
  return dns.length + ips.length === 0 ? 'the certificate is for no host name' : null
}

/** `CN` of a name, or all of it in one line. */
function nameOf(subject: string): string {
  const common = /^CN=(.*)$/m.exec(subject)?.[1]
  const text = common ?? subject.replaceAll('\n', ', ')
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text)
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
