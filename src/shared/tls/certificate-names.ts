import type { X509Certificate } from 'node:crypto'

/** What a certificate is for, lower case, in its order: DNS names, wildcards among them, and IP addresses. */
export interface CertificateNames {
  dns: string[]
  ips: string[]
  /** The names are those of the subject, as there are no others; clients of today do not look there. */
  areOfSubject: boolean
}

export function namesOf(certificate: X509Certificate): CertificateNames {
  const dns: string[] = []
  const ips: string[] = []
  for (const [kind, value] of alternativeNames(certificate.subjectAltName ?? '')) {
    if (kind === 'DNS') dns.push(value.toLowerCase().replace(/\.$/, ''))
    if (kind === 'IP Address') ips.push(value.toLowerCase())
  }
  if (certificate.subjectAltName !== undefined) return { dns: [...new Set(dns)], ips: [...new Set(ips)], areOfSubject: false }
  const common = /^CN=(.*)$/m.exec(certificate.subject)?.[1]?.toLowerCase() ?? ''
  const isHost = /^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(common)
  return { dns: isHost ? [common] : [], ips: [], areOfSubject: true }
}

/** Node writes `DNS:a.example, IP Address:10.0.0.1`, and what could be mistaken as a JSON string. */
function alternativeNames(text: string): [kind: string, value: string][] {
  const pattern = /(?:^|, )([A-Za-z][A-Za-z ]*):("(?:[^"\\]|\\.)*"|[^,]*)/g
  return [...text.matchAll(pattern)].map(([, kind, value]) => [kind as string, unquoted(value as string)])
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value
  try {
    return String(JSON.parse(value))
  } catch {
    return value
  }
}
