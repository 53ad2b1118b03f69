import { createPrivateKey, X509Certificate } from 'node:crypto'

/** A key and its certificate, behind which further ones of its chain may stand; in PEM. */
export interface KeyAndCertificate {
  key: string
  certificate: string
}

/** Milliseconds since 1970. */
export interface Life {
  notBefore: number
  notAfter: number
}

/** Both in one text, so that one rename puts both in place. */
export function joinPem({ key, certificate }: KeyAndCertificate): string {
  return `${key.trimEnd()}\n${certificate}`
}

/** The way back; null where there is no pair of both, or the key is another certificate's. */
export function splitPem(text: string): KeyAndCertificate | null {
  const at = text.indexOf('-----BEGIN CERTIFICATE-----')
  if (at <= 0) return null
  const [key, certificate] = [text.slice(0, at), text.slice(at)]
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)) ? { key, certificate } : null
  } catch {
    return null
  }
}

/** Of the first certificate. */
export function lifeOf({ certificate }: KeyAndCertificate): Life {
  const { validFrom, validTo } = new X509Certificate(certificate)
  return { notBefore: Date.parse(validFrom), notAfter: Date.parse(validTo) }
}
