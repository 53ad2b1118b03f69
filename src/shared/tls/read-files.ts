import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { fileFault } from '../config/file-fault.ts'
import type { CertificateFiles } from '../config/tls-model.ts'
import { BadCertificate, type CertificatePair, readCertificates, readPair } from './certificate-pair.ts'
import { pemBlocks } from './pem.ts'

const mostBytes = 4 * 1024 * 1024

/** A file cannot be used; the message names it, and why. Nothing of its content is in it. */
export class TlsFileError extends Error {}

/** A certificate and its key from their files. Throws TlsFileError. */
export function readPairFiles({ cert, key, ocsp }: Pick<CertificateFiles, 'cert' | 'key'> & Partial<CertificateFiles>): CertificatePair {
  const texts = { cert: readText(cert), key: readText(key) }
  const staple = typeof ocsp === 'object' ? readStaple(ocsp.file) : null
  try {
    return readPair(texts.cert, texts.key, staple)
  } catch (error) {
    if (!(error instanceof BadCertificate)) throw error
    throw new TlsFileError(`${error.file === 'cert' ? cert : key}: ${error.message}`)
  }
}

/** Authorities from a PEM file: only their certificates. Throws TlsFileError. */
export function readAuthorities(file: string): string {
  const text = readText(file)
  try {
    const certificates = readCertificates(text)
    if (certificates.length > 0) return certificates.map((certificate) => certificate.toString()).join('')
  } catch (error) {
    throw new TlsFileError(`${file}: ${(error as Error).message}`)
  }
  throw new TlsFileError(`${file}: ${pemBlocks(text).length > 0 ? 'holds no certificate' : 'is not PEM'}`)
}

/** An OCSP response is a DER SEQUENCE that begins with an ENUMERATED status, 0 for a good one (RFC 6960 4.2.1). */
function readStaple(file: string): Uint8Array {
  const bytes = readBytes(file)
  const status = bytes.indexOf(Buffer.from([0x0a, 0x01]))
  if (bytes[0] !== 0x30 || status < 2 || status > 6) throw new TlsFileError(`${file}: is no OCSP response in DER`)
  if (bytes[status + 2] !== 0) throw new TlsFileError(`${file}: the OCSP response says that the authority could not answer`)
  return new Uint8Array(bytes)
}

function readText(file: string): string {
  return readBytes(file).toString('latin1')
}

function readBytes(file: string): Buffer {
  let fault: string
  try {
    const stat = statSync(file)
    if (stat.isFile() && stat.size <= mostBytes) return readFileSync(file)
    fault = stat.isFile() ? 'is larger than 4MiB' : stat.isDirectory() ? 'is a directory' : 'is not a regular file'
  } catch (error) {
    fault = fileFault(error)
  }
  throw new TlsFileError(`${file}: ${fault}`)
}

/** Throws TlsFileError where OpenSSL takes the certificate or its key not, as too short a key. */
export function requireUsable({ certificate }: CertificatePair, file: string): void {
  try {
    createSecureContext({ cert: certificate.chain, key: certificate.key, ca: [] })
  } catch (error) {
    const { reason = 'unknown reason' } = error as { reason?: string }
    throw new TlsFileError(`${file}: OpenSSL does not take it: ${reason}`)
  }
}
