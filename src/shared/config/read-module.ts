import { resolve } from 'node:path'
import { createJiti } from 'jiti'
import { ConfigDocument, type Place, unreadable } from './document.ts'
import type { Environment } from './environment.ts'
import { shown } from './parsed.ts'
import { readValue } from './read-value.ts'

/**
 * The default export of a TypeScript or JavaScript config. `import … from 'weir'` in it is this very package, wherever the
 * config lies, and nothing is cached, so that a reload sees what changed in it and in what it imports.
 */
export async function readModule(path: string, env: Environment): Promise<ConfigDocument> {
  try {
    // The instance that runs already, not a second copy of it: the package may hold native code and state.
    const virtualModules = { weir: (await import(ownIndex())) as unknown }
    const jiti = createJiti(import.meta.url, { virtualModules, fsCache: false, moduleCache: false, interopDefault: false })
    const module = await jiti.import<Record<string, unknown>>(resolve(path))
    return exported(module, path, env)
  } catch (error) {
    return unread(path, error)
  }
}

function exported(module: Record<string, unknown>, path: string, env: Environment): ConfigDocument {
  const value = module['default']
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return readValue(value, path, env)
  const document = new ConfigDocument(path, null)
  document.value = unreadable
  const found = value === undefined ? 'no default export' : shown(value)
  document.textProblem(null, `expected a config as default export, found ${found}`, 'write "export default defineConfig({ … })"')
  return document
}

/** src/index.ts when run from sources, dist/index.js when run as a package. */
function ownIndex(): string {
  const name = import.meta.url.endsWith('.ts') ? '../../index.ts' : '../../index.js'
  return new URL(name, import.meta.url).href
}

/** An error of the file itself, a syntax error or one that its code throws, without a stack. */
function unread(path: string, error: unknown): ConfigDocument {
  const document = new ConfigDocument(path, null)
  document.value = unreadable
  const message = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
  const withoutFile = message
    .replaceAll(resolve(path), path)
    .replace(/^(ParseError: *)/, '')
    .replace(/^\s+/, '')
  document.textProblem(placeIn(error, resolve(path)), `the config cannot be run: ${withoutFile === '' ? 'unknown error' : withoutFile}`)
  return document
}

/** The first place of the file that an error names, in its message or its stack. */
function placeIn(error: unknown, path: string): Place | null {
  if (!(error instanceof Error)) return null
  const text = `${error.message}\n${error.stack ?? ''}`
  const after = text.split(`${path}:`)[1]
  const match = /^(\d+):(\d+)/.exec(after ?? '')
  return match ? { line: Number(match[1]), column: Number(match[2]), length: 1 } : null
}
