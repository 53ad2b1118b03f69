/** Texts of the options about TLS. What OpenSSL takes is asked of the OpenSSL that this process carries, the same that the engine uses. */
import { getCurves } from 'node:crypto'
import { createSecureContext, getCiphers } from 'node:tls'
import { ipFamily, isHostName } from './address.ts'
import { nearest } from './nearest.ts'
import { expected, type Parsed, parsed, refused } from './parsed.ts'
import { defaultCiphers, defaultGroups } from './tls-defaults.ts'
import type { TlsVersion } from './tls-model.ts'

/** "1.2" or "1.3"; what is older is not spoken. */
export function parseTlsVersion(text: string): Parsed<TlsVersion> {
  if (text === '1.2' || text === '1.3') return parsed(text)
  const isOld = /^(tls|tlsv)?\s*1(\.[01])?$|^ssl/i.test(text)
  const hint = isOld ? 'older versions have known weaknesses and are not spoken' : null
  return expected('"1.2" or "1.3"', text, hint)
}

/** Of TLS 1.3. A name that is none would be passed over in silence, so each is looked at. */
export function parseTlsCipherSuites(text: string): Parsed<string> {
  const known = suites()
  for (const name of text.split(':')) {
    if (known.includes(name)) continue
    return refused(`${quoted(name)} is no cipher suite of TLS 1.3`, hintFor(name, known))
  }
  return parsed(text)
}

/** Of TLS 1.2: names, or words of OpenSSL such as `ECDHE+AESGCM` and `!aNULL`. */
export function parseTlsCiphers(text: string): Parsed<string> {
  if (text === defaultCiphers) return parsed(text)
  const names = getCiphers()
    .map((name) => name.toUpperCase())
    .filter((name) => !name.startsWith('TLS_'))
  for (const element of text.split(':')) {
    if (element.startsWith('@') || element === '') continue
    if (suites().includes(element)) return refused(`${element} is a cipher suite of TLS 1.3`, 'write it in cipherSuites')
    for (const part of element.replace(/^[!+-]/, '').split('+')) {
      if (names.includes(part.toUpperCase()) || isKeyword(part)) continue
      return refused(`${quoted(part)} is no cipher of TLS 1.2`, hintFor(part.toUpperCase(), names))
    }
  }
  return taken(() => createSecureContext({ ca: [], ciphers: text }), text, `no cipher of TLS 1.2 is left of ${quoted(text)}`)
}

/** Names of groups, such as X25519 and P-256. */
export function parseTlsGroups(text: string): Parsed<string> {
  if (text === defaultGroups) return parsed(text)
  for (const name of text.split(':')) {
    const one = taken(() => createSecureContext({ ca: [], ecdhCurve: name }), name, `${quoted(name)} is no group of a key exchange`)
    if (!one.ok) return refused(one.message, hintFor(name, [...usualGroups, ...getCurves()]))
  }
  return parsed(text)
}

/** The name that a server is asked for, or an IP address. */
export function parseTlsName(text: string): Parsed<string> {
  if (ipFamily(text) !== null) return parsed(text)
  return isHostName(text) ? parsed(text.toLowerCase()) : expected('a host name or an IP address', text)
}

/** A name that an authority can issue a certificate for when it asks over the network. */
export function parseCertificateDomain(text: string): Parsed<string> {
  if (text.startsWith('*.'))
    return refused('a certificate for a wildcard is issued over DNS only, which weir does not do', 'list the names')
  if (ipFamily(text) !== null || !isHostName(text) || !text.includes('.')) return expected('a domain name', text)
  return parsed(text.toLowerCase().replace(/\.$/, ''))
}

/** A name, `*.name` or an IP address of a certificate of our own. */
export function parseCertificateName(text: string): Parsed<string> {
  if (ipFamily(text) !== null) return parsed(text)
  const host = text.replace(/^\*\./, '')
  return isHostName(host) ? parsed(text.toLowerCase().replace(/\.$/, '')) : expected('a host name, *.domain or an IP address', text)
}

/** Where an ACME server says what it offers. */
export function parseAcmeDirectory(text: string): Parsed<string> {
  const isUrl = URL.canParse(text) && new URL(text).protocol === 'https:'
  return isUrl ? parsed(text) : expected('a URL that begins with https://', text)
}

const usualGroups = ['X25519', 'P-256', 'P-384', 'P-521', 'X448', 'ffdhe2048', 'ffdhe3072']

/** Words of ciphers(1): each stands for many ciphers, alone or joined by +. */
const keywords =
  'ALL COMPLEMENTOFALL COMPLEMENTOFDEFAULT DEFAULT HIGH MEDIUM ECDHE EECDH kECDHE kEECDH DHE EDH kDHE kEDH DH ECDH RSA kRSA aRSA aECDSA ECDSA AES AES128 AES256 AESGCM AESCCM AESCCM8 ARIA ARIA128 ARIA256 ARIAGCM CHACHA20 CAMELLIA CAMELLIA128 CAMELLIA256 SHA SHA1 SHA256 SHA384 TLSv1.2 TLSv1.0 TLSv1 SSLv3 aNULL eNULL NULL ADH AECDH EXPORT LOW 3DES DES RC4 RC2 IDEA SEED MD5 PSK kPSK aPSK kECDHEPSK kDHEPSK kRSAPSK SRP DSS aDSS'.split(
    ' ',
  )

function isKeyword(part: string): boolean {
  return keywords.includes(part)
}

function suites(): string[] {
  const offered = getCiphers()
    .map((name) => name.toUpperCase())
    .filter((name) => name.startsWith('TLS_'))
  return [...new Set([...offered, 'TLS_AES_128_CCM_SHA256', 'TLS_AES_128_CCM_8_SHA256'])]
}

function taken(attempt: () => unknown, text: string, message: string): Parsed<string> {
  try {
    attempt()
    return parsed(text)
  } catch {
    return refused(message)
  }
}

function hintFor(name: string, known: readonly string[]): string | null {
  const guess = nearest(name, [...known])
  return guess === null ? null : `did you mean "${guess}"?`
}

function quoted(text: string): string {
  return JSON.stringify(text)
}
