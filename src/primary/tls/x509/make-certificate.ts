/** Makes keys and certificates, ECDSA P-256 throughout. The library is loaded with the first one. */
import { createPrivateKey, type KeyObject, randomBytes, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import type { Extension, GeneralName } from '@peculiar/x509'
import type { KeyAndCertificate } from './key-and-certificate.ts'

export interface CertificateWish {
  /** Common name; at most 64 characters count. */
  subject: string
  /** DNS names and IP addresses. */
  names: readonly string[]
  notBefore: Date
  notAfter: Date
  /** May sign others, though no further authorities. */
  isAuthority?: boolean
  /** SHA-256 of a key authorization (RFC 8737 3). */
  acmeIdentifier?: Uint8Array
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const ACME_IDENTIFIER = '1.3.6.1.5.5.7.1.31'
type X509 = typeof import('@peculiar/x509')
type Key = webcrypto.CryptoKey

/** A new key and a certificate for it, signed by the authority, or with null by itself. */
export async function makeCertificate(wish: CertificateWish, authority: KeyAndCertificate | null): Promise<KeyAndCertificate> {
  const x509 = await import('@peculiar/x509')
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const subject = nameOf(wish.subject)
  const signer = authority === null ? null : new x509.X509Certificate(authority.certificate)
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject,
      issuer: signer?.subjectName.toJSON() ?? subject,
      serialNumber: serialNumber(),
      notBefore: wish.notBefore,
      notAfter: wish.notAfter,
      publicKey: keys.publicKey,
      signingKey: authority === null ? keys.privateKey : await importKey(authority.key),
      signingAlgorithm: ALGORITHM,
      extensions: [...usages(x509, wish), ...(await identifiers(x509, keys.publicKey, signer?.publicKey ?? keys.publicKey))],
    },
    webcrypto,
  )
  return { key: await exportKey(keys.privateKey), certificate: `${certificate.toString('pem')}\n` }
}

function usages(x509: X509, { names, isAuthority = false, acmeIdentifier }: CertificateWish): Extension[] {
  const { digitalSignature, keyCertSign, cRLSign } = x509.KeyUsageFlags
  const extensions: Extension[] = [
    new x509.BasicConstraintsExtension(isAuthority, isAuthority ? 0 : undefined, true),
    new x509.KeyUsagesExtension(isAuthority ? keyCertSign | cRLSign : digitalSignature, true),
  ]
  if (!isAuthority) extensions.push(new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]))
  if (names.length > 0) {
    const general = names.map((name) => new x509.GeneralName(isIP(name) === 0 ? 'dns' : 'ip', name) as GeneralName)
    extensions.push(new x509.SubjectAlternativeNameExtension(general))
  }
  if (acmeIdentifier !== undefined) {
    // An OCTET STRING of 32 bytes.
    extensions.push(new x509.Extension(ACME_IDENTIFIER, true, Uint8Array.from([4, acmeIdentifier.length, ...acmeIdentifier])))
  }
  return extensions
}

async function identifiers(x509: X509, own: Key, signer: Key | InstanceType<X509['PublicKey']>): Promise<Extension[]> {
  return [
    await x509.SubjectKeyIdentifierExtension.create(own, false, webcrypto),
    await x509.AuthorityKeyIdentifierExtension.create(signer, false, webcrypto),
  ]
}

function nameOf(subject: string): { CN: string[] }[] {
  return [{ CN: [subject.slice(0, 64)] }]
}

/** 127 bits at random, with the first bit clear: a positive number that has no zero byte in front (RFC 5280 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40
  return bytes.toString('hex')
}

async function importKey(pem: string): Promise<Key> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign'])
}

async function exportKey(key: Key): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key))
  const made: KeyObject = createPrivateKey({ key: der, type: 'pkcs8', format: 'der' })
  return made.export({ type: 'pkcs8', format: 'pem' }) as string
}
