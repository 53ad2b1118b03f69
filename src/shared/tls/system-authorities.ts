import { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { isIssuedBy } from './certificate-state.ts'
import { certificateBlocks } from './pem.ts'
import { readAuthorities } from './read-files.ts'

/** Where distributions keep the authorities that the machine believes. */
const usualFiles = [
  '/etc/ssl/certs/ca-certificates.crt', // Debian, Ubuntu, Alpine, Arch
  '/etc/pki/tls/certs/ca-bundle.crt', // Fedora, RHEL
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/ca-bundle.pem', // SUSE
  '/etc/ssl/cert.pem',
]

/** The file of the authorities that this machine believes: `SSL_CERT_FILE`, or the usual one; null where there is none. */
export function systemAuthoritiesFile(env: Record<string, string | undefined> = process.env): string | null {
  const { SSL_CERT_FILE: named = '' } = env
  return named === '' ? (usualFiles.find((file) => existsSync(file)) ?? null) : named
}

/** Their certificates in PEM; those that came with Node where the machine has no file. Throws TlsFileError. */
export function systemAuthorities(env: Record<string, string | undefined> = process.env): string {
  const file = systemAuthoritiesFile(env)
  return file === null ? `${rootCertificates.join('\n')}\n` : readAuthorities(file)
}

/** Answers whether an authority of this machine issued a certificate. They are read when that is first asked; unreadable is none. */
export function knownIssuers(read: () => string = systemAuthorities): (certificate: X509Certificate) => boolean {
  let authorities: X509Certificate[] | undefined
  return (certificate) => {
    authorities ??= parsed(read)
    return authorities.some((authority) => isIssuedBy(certificate, authority))
  }
}

function parsed(read: () => string): X509Certificate[] {
  try {
    return certificateBlocks(read()).map((block) => new X509Certificate(block))
  } catch {
    return []
  }
}
