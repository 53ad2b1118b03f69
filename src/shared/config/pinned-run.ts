import { createJiti, type Jiti, type JitiOptions } from 'jiti'
import type { PinnedModule } from './pinned.ts'

type Exports = Record<string, unknown>
type ModuleCache = NonNullable<NonNullable<Parameters<Jiti['evalModule']>[1]>['cache']>
type Mode = 'awaited' | 'required'

/**
 * Runs the texts of a pinned module and answers what its main file exports. Every call runs all of them anew. Packages and modules of
 * Node are loaded from where the files were; `virtual` are modules that have no file.
 */
export async function runPinned(pinned: PinnedModule, virtual: Record<string, unknown>): Promise<Exports> {
  const run: Run = { pinned, virtual, cache: {} }
  return (await exportsOf(run, pinned.main, 'awaited')) as Exports
}

interface Run {
  pinned: PinnedModule
  virtual: Record<string, unknown>
  /** Modules by path, entered before they run, so that a circle of imports finds what is there so far. */
  cache: ModuleCache
}

function exportsOf(run: Run, path: string, mode: Mode): unknown {
  const known = run.cache[path]
  if (known) return known.exports
  const text = run.pinned.files[path] ?? ''
  if (path.endsWith('.json')) return jsonExports(run, path, text)
  const jiti = createJiti(path, optionsFor(run, path, mode))
  const ending = path.slice(path.lastIndexOf('.'))
  // Left to itself, jiti would hand plain JavaScript to Node, which reads the file again and then never more.
  return jiti.evalModule(text, { id: path, filename: path, ext: ending, cache: run.cache, async: mode === 'awaited', forceTranspile: true })
}

/** Imports of pinned files are virtual modules of the file that imports them, each run when it is asked for. */
function optionsFor(run: Run, path: string, mode: Mode): JitiOptions {
  const modules = Object.create(null) as Record<string, unknown>
  Object.assign(modules, run.virtual)
  for (const { specifier, file, isRequired } of run.pinned.imports[path] ?? []) {
    const get = () => exportsOf(run, file, isRequired ? 'required' : mode)
    Object.defineProperty(modules, virtualName(specifier), { get, enumerable: true })
  }
  return { virtualModules: modules, fsCache: false, moduleCache: false, interopDefault: false }
}

/** jiti asks for a file URL by its path. */
function virtualName(specifier: string): string {
  return specifier.startsWith('file:') ? decodeURIComponent(new URL(specifier).pathname) : specifier
}

function jsonExports(run: Run, path: string, text: string): unknown {
  const value: unknown = JSON.parse(text)
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  const exports = isMap && !('default' in value) ? Object.defineProperty({ ...value }, 'default', { value }) : { default: value }
  run.cache[path] = { exports } as ModuleCache[string]
  return exports
}
