/** Which files a config wants for TLS, and what is made of them. */
import type { Config } from '../../shared/config/model.ts'
import type { CertificateFiles } from '../../shared/config/tls-model.ts'
import type { CertificatePair } from '../../shared/tls/certificate-pair.ts'
import { readAuthorities, readPairFiles, requireUsable } from '../../shared/tls/read-files.ts'
import { systemAuthorities, systemAuthoritiesFile } from '../../shared/tls/system-authorities.ts'
import type { FileValue } from './kept-files.ts'

/** Key of what was read for a pair of files. */
export function pairKey({ cert, key, ocsp }: Pick<CertificateFiles, 'cert' | 'key'> & Partial<CertificateFiles>): string {
  return JSON.stringify(['pair', cert, key, typeof ocsp === 'object' ? ocsp.file : null])
}

/** Key of the authorities of a file; of those of the system with null. */
export function authoritiesKey(file: string | null): string {
  return JSON.stringify(['authorities', file])
}

/** All that a config needs, in its order. */
export function fileValues({ listeners, upstreams }: Pick<Config, 'listeners' | 'upstreams'>): FileValue[] {
  const ofListeners = listeners.flatMap(({ tls }) => {
    if (tls === null) return []
    return [...tls.certificates.map(pairValue), ...(tls.clientAuth === null ? [] : [authoritiesValue(tls.clientAuth.ca)])]
  })
  const ofUpstreams = upstreams.flatMap(({ tls }) => {
    if (tls === null) return []
    return [...(tls.verify ? [authoritiesValue(tls.ca)] : []), ...(tls.certificate === null ? [] : [pairValue(tls.certificate)])]
  })
  return [...ofListeners, ...ofUpstreams]
}

function pairValue(files: Pick<CertificateFiles, 'cert' | 'key'> & Partial<CertificateFiles>): FileValue {
  const { cert, key, ocsp } = files
  const value: FileValue<CertificatePair> = {
    key: pairKey(files),
    files: [cert, key, ...(typeof ocsp === 'object' ? [ocsp.file] : [])],
    read() {
      const pair = readPairFiles(files)
      requireUsable(pair, cert)
      return pair
    },
    digest: ({ certificate }) => certificate,
    isWorse: (before, after) => (isValid(before, Date.now()) && !isValid(after, Date.now()) ? `${cert}: ${timeFault(after)}` : null),
  }
  return value as FileValue
}

function authoritiesValue(file: string | null): FileValue {
  const place = file ?? systemAuthoritiesFile()
  const value: FileValue<string> = {
    key: authoritiesKey(file),
    files: place === null ? [] : [place],
    read: () => (file === null ? systemAuthorities() : readAuthorities(file)),
    digest: (text) => text,
  }
  return value as FileValue
}

function isValid({ facts }: CertificatePair, nowMs: number): boolean {
  return nowMs >= facts.notBeforeMs && nowMs <= facts.notAfterMs
}

function timeFault({ facts }: CertificatePair): string {
  const isOver = Date.now() > facts.notAfterMs
  return isOver ? 'the new certificate has expired' : `the new certificate is not valid before ${new Date(facts.notBeforeMs).toISOString()}`
}
