/** Certificates made for one run: authorities, intermediate ones, and what they issue to servers and clients. */

import { randomBytes, type webcrypto as web, webcrypto } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as x509 from '@peculiar/x509'
import type { Scope } from './wait.ts'

const DAY_MS = 86_400_000
const { subtle } = webcrypto
x509.cryptoProvider.set(webcrypto)

const ALGORITHMS = {
  ecdsa: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  rsa: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
} as const

export type KeyKind = keyof typeof ALGORITHMS

export interface Certificate {
  /** PEM: the certificate, then its intermediate ones. */
  cert: string
  key: string
  /** Where `cert` and `key` are, for configs and other programs. */
  path: string
  keyPath: string
  /** SHA-256 of the certificate itself, in lower-case hex. */
  fingerprint: string
  serialNumber: string
}

export interface CertificateOptions {
  /** DNS names (`*.x` is allowed) and IP addresses; the first one is the common name, too. */
  names: readonly string[]
  /** Another subject than the first name, e.g. `CN=anna, O=weir`. */
  subject?: string
  kind?: KeyKind
  /** Days from now; from yesterday to in 80 days unless told otherwise. */
  from?: number
  to?: number
  /** What it may be used for. */
  usage?: 'server' | 'client'
}

export interface Authority {
  /** PEM of its own certificate, which clients trust. */
  cert: string
  path: string
  keyPath: string
  /** A certificate of this authority, in files of its own. */
  issue(options: CertificateOptions): Promise<Certificate>
  /** An authority below this one; what it issues comes with its certificate. */
  intermediate(name: string): Promise<Authority>
}

interface Issuer {
  /** Its subject. */
  name: string
  keys: web.CryptoKeyPair
  /** PEM of its certificate, where clients have to be shown that one. */
  chain: string
}

/** A certificate authority of a test's own. Its files go with the scope. */
export async function authority(scope: Scope, name = 'weir test authority'): Promise<Authority> {
  const folder = folderFor(scope)
  const keys = await keysOf('ecdsa')
  const issuer = { name: `CN=${name}`, keys, chain: '' }
  return describe(folder, pem(await sign(issuer, { subject: issuer.name, keys, extensions: ofAuthority() })), issuer)
}

/** A certificate that signs itself, for DNS names of which the first is its common name. */
export async function makeCertificate(scope: Scope, ...names: [string, ...string[]]): Promise<Certificate> {
  const keys = await keysOf('ecdsa')
  const issuer = { name: `CN=${names[0]}`, keys, chain: '' }
  const own = await sign(issuer, { subject: issuer.name, keys, extensions: [named(names)] })
  return store(folderFor(scope), own, '', keys)
}

/** Replaces files as tools that renew certificates do: each is whole at every moment. `at` is what the config names. */
export function replaceFiles(at: { path: string; keyPath: string }, by: { cert: string; key: string }): void {
  replaceFile(at.keyPath, by.key)
  replaceFile(at.path, by.cert)
}

/** Writes beside the file and renames. */
export function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** A copy of a certificate's files under names of their own, to be replaced later. */
export function copyTo(folder: string, name: string, files: { cert: string; key: string }): { path: string; keyPath: string } {
  const places = { path: join(folder, `${name}.pem`), keyPath: join(folder, `${name}.key`) }
  replaceFiles(places, files)
  return places
}

let made = 0

async function describe(folder: string, cert: string, issuer: Issuer): Promise<Authority> {
  const path = join(folder, `authority-${++made}.pem`)
  const keyPath = join(folder, `authority-${made}.key`)
  writeFileSync(path, cert)
  writeFileSync(keyPath, await pemOf(issuer.keys), { mode: 0o600 })
  return {
    cert,
    path,
    keyPath,
    issue: (options) => issue(folder, issuer, options),
    async intermediate(name) {
      const keys = await keysOf('ecdsa')
      const own = pem(await sign(issuer, { subject: `CN=${name}`, keys, extensions: ofAuthority() }))
      return describe(folder, own, { name: `CN=${name}`, keys, chain: own + issuer.chain })
    },
  }
}

async function issue(folder: string, issuer: Issuer, options: CertificateOptions): Promise<Certificate> {
  const { names, subject = `CN=${names[0]}`, kind = 'ecdsa', usage = 'server', from, to } = options
  const keys = await keysOf(kind)
  const purpose = usage === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth
  const extensions = [new x509.ExtendedKeyUsageExtension([purpose]), new x509.BasicConstraintsExtension(false), named(names)]
  return store(folder, await sign(issuer, { subject, keys, extensions, from, to }), issuer.chain, keys)
}

interface ToSign {
  subject: string
  keys: web.CryptoKeyPair
  extensions: x509.Extension[]
  from?: number | undefined
  to?: number | undefined
}

async function sign(issuer: Issuer, { subject, keys, extensions, from = -1, to = 80 }: ToSign): Promise<x509.X509Certificate> {
  return x509.X509CertificateGenerator.create({
    serialNumber: randomBytes(8).toString('hex').replace(/^./, '4'),
    subject,
    issuer: issuer.name,
    notBefore: new Date(Date.now() + from * DAY_MS),
    notAfter: new Date(Date.now() + to * DAY_MS),
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: ALGORITHMS.ecdsa,
    extensions: [...extensions, await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)],
  })
}

async function store(folder: string, own: x509.X509Certificate, chain: string, keys: web.CryptoKeyPair): Promise<Certificate> {
  const cert = pem(own) + chain
  const key = await pemOf(keys)
  const fingerprint = Buffer.from(await own.getThumbprint('SHA-256')).toString('hex')
  return { cert, key, ...copyTo(folder, `certificate-${++made}`, { cert, key }), fingerprint, serialNumber: own.serialNumber }
}

function ofAuthority(): x509.Extension[] {
  const may = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature
  return [new x509.BasicConstraintsExtension(true, undefined, true), new x509.KeyUsagesExtension(may, true)]
}

function named(names: readonly string[]): x509.SubjectAlternativeNameExtension {
  return new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })))
}

function keysOf(kind: KeyKind): Promise<web.CryptoKeyPair> {
  return subtle.generateKey(ALGORITHMS[kind], true, ['sign', 'verify'])
}

async function pemOf({ privateKey }: web.CryptoKeyPair): Promise<string> {
  return `${x509.PemConverter.encode(await subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY')}\n`
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`
}

function folderFor(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-certificates-'))
  scope.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
