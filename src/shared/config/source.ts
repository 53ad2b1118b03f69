import type { Environment } from './environment.ts'
import { isModuleFile, type LoadResult, loadConfig, loadPinned } from './load.ts'
import { type PinnedModule, pinModule } from './pinned.ts'
import type { ConfigProblem } from './problem.ts'

/** A config file as it was at one moment. */
export interface LoadedSource {
  loaded: LoadResult
  /** The program, where it is one: other processes run exactly this. */
  module: PinnedModule | null
}

/** Reads a config file once: what is checked here is what workers run later, whatever the file holds by then. Never throws. */
export async function loadSource(path: string, env: Environment = process.env): Promise<LoadedSource> {
  if (!isModuleFile(path)) return { loaded: await loadConfig(path, env), module: null }
  let module: PinnedModule
  try {
    module = await pinModule(path)
  } catch (error) {
    return { loaded: { ok: false, problems: [problem(path, (error as Error).message)] }, module: null }
  }
  return { loaded: await loadPinned(module, env), module }
}

function problem(file: string, message: string): ConfigProblem {
  return { file, line: null, column: null, path: '', message, hint: null, excerpt: null }
}
