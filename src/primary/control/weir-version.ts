import { readFileSync } from 'node:fs'
import { packageFile } from '../../shared/base/program-files.ts'

let version: string | undefined

/** Of this program, as its package.json says. */
export function weirVersion(): string {
  version ??= (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }).version
  return version
}
