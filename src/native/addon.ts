import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { packageFile } from '../shared/base/program-files.ts'
import { abi } from './abi.ts'
import type { Addon } from './contract.ts'

/** The addon cannot be used; the message is one sentence for people. */
export class AddonError extends Error {}

/** WEIR_ADDON names another build of it, e.g. one with sanitizers. */
const file = process.env.WEIR_ADDON ?? fileURLToPath(packageFile('native/build/Release/weir.node'))
let loaded: Addon | undefined

/** The native engine. The only place that loads it. Throws AddonError when it is missing or of another version. */
export function addon(): Addon {
  loaded ??= load()
  return loaded
}

function load(): Addon {
  if (!existsSync(file)) {
    throw new AddonError('the native engine is not built: run "npm rebuild weir --foreground-scripts" (it needs python3, make and g++)')
  }
  let exports: Addon
  try {
    exports = createRequire(import.meta.url)(file) as Addon
  } catch (cause) {
    throw new AddonError(`the native engine does not load on this machine (${(cause as Error).message}): run "npm rebuild weir"`)
  }
  if (exports.abiVersion !== abi.version) {
    throw new AddonError(
      `the native engine is of another version (${exports.abiVersion}, this weir needs ${abi.version}): run "npm rebuild weir"`,
    )
  }
  return exports
}
