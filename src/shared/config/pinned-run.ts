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

/** What an import gets, at once or as a promise; a module that is required is there at once. */
function exportsOf(run: Run, path: string, mode: Mode): unknown {
  const known = run.cache[path]
  const exports: unknown = known ? known.exports : evaluated(run, path, mode)
  if (mode === 'required') return exports
  return exports instanceof Promise ? exports.then(namespaceOf) : namespaceOf(exports)
}

function evaluated(run: Run, path: string, mode: Mode): unknown {
  const text = run.pinned.files[path] ?? ''
  const ending = path.slice(path.lastIndexOf('.'))
  if (ending === '.json') {
    const exports: unknown = JSON.parse(text)
    run.cache[path] = { exports } as ModuleCache[string]
    return exports
  }
  const jiti = createJiti(path, optionsFor(run, path, mode))
  // Left to itself, jiti would hand plain JavaScript to Node, which reads the file again and then never more.
  return jiti.evalModule(text, { id: path, filename: path, ext: ending, cache: run.cache, async: mode === 'awaited', forceTranspile: true })
}

/** As Node shows CommonJS and JSON to an import: the whole is the default, and its parts have their names. */
function namespaceOf(exports: unknown): unknown {
  const isMap = typeof exports === 'object' && exports !== null
  if (isMap && '__esModule' in exports) return exports
  return { ...(isMap ? exports : {}), default: exports }
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
