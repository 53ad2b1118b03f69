/** The certificates of the TLS cases: one ECDSA, one RSA, the same for every peer of a run. */
import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from './processes.ts'

export type KeyKind = 'ecdsa' | 'rsa'

/** Files in PEM. They are removed when the run ends. */
export interface Identity {
  certificate: string
  key: string
  /** Certificate and key in one file, as HAProxy wants them. */
  both: string
}

const newKey: Record<KeyKind, string[]> = {
  ecdsa: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['-newkey', 'rsa:2048'],
}

const made = new Map<KeyKind, Identity>()

/** Made once per run by the command `openssl`. Throws when it is missing or fails. */
export function identityOf(kind: KeyKind): Identity {
  const identity = made.get(kind) ?? make(kind)
  made.set(kind, identity)
  return identity
}

/** Why certificates cannot be made on this machine; null when they can. */
export function certificatesObstacle(): string | null {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return null
  } catch {
    return 'needs the command openssl to make certificates: apt install openssl'
  }
}

// Self-signed: a chain costs its bytes, and those are the same for all.
function make(kind: KeyKind): Identity {
  const directory = temporaryDirectory(`certificate-${kind}`)
  const [certificate, key, both] = ['site.pem', 'site.key', 'both.pem'].map((name) => join(directory, name)) as [string, string, string]
  const names = ['-subj', '/CN=bench.example', '-addext', 'subjectAltName=DNS:bench.example', '-days', '365']
  execFileSync('openssl', ['req', '-x509', '-nodes', ...newKey[kind], ...names, '-out', certificate, '-keyout', key], { stdio: 'pipe' })
  writeFileSync(both, readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'))
  for (const file of [key, both]) chmodSync(file, 0o600)
  return { certificate, key, both }
}
