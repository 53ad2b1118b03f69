import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { TlsCertificate } from '../../native/contract.ts'
import { type CertificateNames, namesOf } from './certificate-names.ts'
import { certificateBlocks, pemBlocks } from './pem.ts'

/** What one can know of a certificate without secrets. */
export interface CertificateFacts extends CertificateNames {
  /** Such as `rsa`, `ec` or `ed25519`. */
  keyKind: string
  notBeforeMs: number
  notAfterMs: number
}

/** A certificate with its key, ready to be served. Secrets are in `certificate`. */
export interface CertificatePair {
  certificate: TlsCertificate
  facts: CertificateFacts
  /** The certificate and those behind it. */
  chain: readonly X509Certificate[]
}

/** What makes a certificate, a key or a chain unusable: which of the two files, and a sentence that follows its name. */
export class BadCertificate extends Error {
  readonly file: 'cert' | 'key'

  constructor(file: 'cert' | 'key', message: string) {
    super(message)
    this.file = file
  }
}

/** Reads the texts of a certificate file and of its key file. Throws BadCertificate; whether it is valid now is another question. */
export function readPair(cert: string, key: string, ocsp: Uint8Array | null = null): CertificatePair {
  const chain = readCertificates(cert)
  const [leaf] = chain
  if (leaf === undefined) throw new BadCertificate('cert', absence(cert))
  const privateKey = readKey(key)
  if (!leaf.checkPrivateKey(privateKey)) throw new BadCertificate('key', 'this key does not belong to the certificate')
  const facts = {
    ...namesOf(leaf),
    keyKind: leaf.publicKey.asymmetricKeyType ?? 'unknown',
    notBeforeMs: Date.parse(leaf.validFrom),
    notAfterMs: Date.parse(leaf.validTo),
  }
  // One form for all: whatever else is in the files, such as the key in the file of the certificate, stays here.
  const chainText = chain.map((one) => one.toString()).join('')
  return { certificate: { chain: chainText, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })), ocsp }, facts, chain }
}

/** All certificates of a text. Throws BadCertificate when one of them cannot be read. */
export function readCertificates(text: string): X509Certificate[] {
  return certificateBlocks(text).map((block, index) => {
    try {
      return new X509Certificate(block)
    } catch {
      throw new BadCertificate('cert', `certificate ${index + 1} in it cannot be read: it is damaged`)
    }
  })
}

function readKey(text: string): KeyObject {
  const keys = pemBlocks(text).filter(({ label }) => label.endsWith('PRIVATE KEY'))
  const [key] = keys
  if (key === undefined) throw new BadCertificate('key', absence(text, 'key'))
  if (key.label.startsWith('ENCRYPTED') || /^Proc-Type: *4,ENCRYPTED/m.test(text))
    throw new BadCertificate('key', 'the key has a passphrase, which nobody could type in: store it without one')
  try {
    return createPrivateKey(key.text)
  } catch {
    // What OpenSSL says could tell of the key.
    throw new BadCertificate('key', 'the key in it cannot be read: it is damaged, or of a kind that OpenSSL does not know')
  }
}

/** Why there is nothing of the kind in a text. */
function absence(text: string, what: 'certificate' | 'key' = 'certificate'): string {
  if (text.trim() === '') return 'is empty'
  const labels = [...new Set(pemBlocks(text).map(({ label }) => label))]
  if (labels.length > 0) return `holds no ${what === 'key' ? 'private key' : what}, but: ${labels.slice(0, 5).join(', ')}`
  return 'is not PEM: it has no -----BEGIN line that ends well'
}
