import { resolve } from 'node:path'
import { entryPoint } from '../base/program-files.ts'
import { ConfigDocument, type Place, unreadable } from './document.ts'
import type { Environment } from './environment.ts'
import { shown } from './parsed.ts'
import { type PinnedModule, pinModule } from './pinned.ts'
import { runPinned } from './pinned-run.ts'
import { readValue } from './read-value.ts'

/**
 * The default export of a TypeScript or JavaScript config. `import … from 'weir'` in it is this very package, wherever the
 * config lies, and nothing is cached, so that a reload sees what changed in it and in what it imports by its path.
 */
export async function readModule(path: string, env: Environment): Promise<ConfigDocument> {
  try {
    return await readPinned(await pinModule(path), env)
  } catch (error) {
    return unread(path, error)
  }
}

/** The same of texts that were read before. */
export async function readPinned(pinned: PinnedModule, env: Environment): Promise<ConfigDocument> {
  try {
    // The instance that runs already, not a second copy of it: the package may hold native code and state.
    const virtualModules = { weir: (await import(entryPoint('index').href)) as unknown }
    return exported(await runPinned(pinned, virtualModules), pinned.path, env)
  } catch (error) {
    return unread(pinned.path, error, pinned.main)
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

/** An error of the file itself, a syntax error or one that its code throws, without a stack. */
function unread(path: string, error: unknown, main = resolve(path)): ConfigDocument {
  const document = new ConfigDocument(path, null)
  document.value = unreadable
  const message = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
  const withoutFile = message
    .replaceAll(main, path)
    .replace(/^(ParseError: *)/, '')
    .replace(/^\s+/, '')
  document.textProblem(placeIn(error, main), `the config cannot be run: ${withoutFile === '' ? 'unknown error' : withoutFile}`)
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
