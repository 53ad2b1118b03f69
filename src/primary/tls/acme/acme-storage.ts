/** Where what an ACME server gave us is kept: a folder per server, with the account and a file for each set of names. */
import { createHash, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { readPrivateFile, writePrivateFile } from '../storage/private-file.ts'
import { joinPem, type KeyAndCertificate, splitPem } from '../x509/key-and-certificate.ts'

export interface AcmeStorage {
  readonly accountFile: string
  readonly lockFile: string
  /** The certificate for these names; null: there is none of use. @throws what the file system does */
  read(): KeyAndCertificate | null
  write(certificate: KeyAndCertificate): Promise<void>
}

/** `domains` in any order: the same ones share their file. */
export function acmeStorage(folder: string, directory: string, domains: readonly string[]): AcmeStorage {
  const place = join(folder, directory.replace(/^https?:\/\//, '').replace(/[^a-zA-Z0-9.]+/g, '-'))
  const digest = createHash('sha256')
    .update([...domains].sort().join('\n'))
    .digest('hex')
    .slice(0, 12)
  const name = `${(domains[0] ?? '').replace(/[^a-z0-9.-]/g, '_')}-${digest}`
  const file = join(place, `${name}.pem`)
  return {
    accountFile: join(place, 'account.json'),
    lockFile: join(place, `${name}.lock`),
    read: () => checked(splitPem(readPrivateFile(file) ?? ''), domains),
    write: (certificate) => writePrivateFile(file, joinPem(certificate)),
  }
}

/** null: it is not for all these names, or its key is another one's. */
export function checked(certificate: KeyAndCertificate | null, domains: readonly string[]): KeyAndCertificate | null {
  if (certificate === null) return null
  const first = new X509Certificate(certificate.certificate)
  return domains.every((domain) => first.checkHost(domain, { subject: 'never' }) !== undefined) ? certificate : null
}
