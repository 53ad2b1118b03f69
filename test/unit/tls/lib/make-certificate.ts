/** Certificates for tests: authorities, intermediates, leaves, as PEM. */
import { randomBytes, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

export interface Made {
  /** The certificate alone. */
  cert: string
  key: string
  x509: x509.X509Certificate
  keys: webcrypto.CryptoKeyPair
}

export interface Wish {
  names?: string[]
  subject?: string
  kind?: 'ec' | 'rsa'
  isAuthority?: boolean
  by?: Made
  /** From now; milliseconds. */
  fromMs?: number
  untilMs?: number
}

const DAY_MS = 86_400_000
const algorithms = {
  ec: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  rsa: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 },
}

export async function make(wish: Wish = {}): Promise<Made> {
  const { names = [], kind = 'ec', isAuthority = false, by, fromMs = -DAY_MS, untilMs = 365 * DAY_MS } = wish
  const algorithm = algorithms[kind]
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  const subject = `CN=${wish.subject ?? names[0] ?? 'test'}`
  const signer = by?.keys.privateKey ?? keys.privateKey
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: `01${randomBytes(8).toString('hex')}`,
    subject,
    issuer: by?.x509.subject ?? subject,
    notBefore: new Date(Date.now() + fromMs),
    notAfter: new Date(Date.now() + untilMs),
    publicKey: keys.publicKey,
    signingKey: signer,
    signingAlgorithm: by === undefined ? algorithm : by.keys.privateKey.algorithm.name === 'ECDSA' ? algorithms.ec : algorithms.rsa,
    extensions: [
      new x509.BasicConstraintsExtension(isAuthority, undefined, true),
      ...(names.length === 0
        ? []
        : [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: /^[\d.]+$|:/.test(value) ? 'ip' : 'dns', value })))]),
    ],
  })
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`
  return { cert: `${made.toString('pem')}\n`, key, x509: made, keys }
}
