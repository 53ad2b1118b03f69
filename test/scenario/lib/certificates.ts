/** Certificates that sign themselves, made for one run. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scope } from './wait.ts'

export interface Certificate {
  cert: string
  key: string
  /** Where `cert` is, for other programs. */
  path: string
}

/** A certificate for these DNS names (`*.x` is allowed), with the first as its common name. Needs `openssl`. */
export function makeCertificate(scope: Scope, ...names: [string, ...string[]]): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'weir-certificate-'))
  scope.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'cert.pem')
  const keyPath = join(folder, 'key.pem')
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const subject = ['-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`]
  execFileSync('openssl', ['req', '-x509', ...curve, '-days', '2', ...subject, '-keyout', keyPath, '-out', path], { stdio: 'pipe' })
  return { cert: readFileSync(path, 'utf8'), key: readFileSync(keyPath, 'utf8'), path }
}
