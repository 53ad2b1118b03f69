import { createRequire } from 'node:module'

let version: string | undefined

/** Of this program, as its package.json says. It is as far away from dist/ as from src/. */
export function weirVersion(): string {
  version ??= (createRequire(import.meta.url)('../../../package.json') as { version: string }).version
  return version
}
