import { existsSync } from 'node:fs'

/** Files that are started or loaded by their name: processes, threads, and what a config imports. */
export type EntryPoint =
  | 'main'
  | 'index'
  | 'worker/pick/table-builder'
  | 'primary/log/log-thread'
  | 'primary/statistics/statistics-thread'
  | 'cli/bench/mock-server'
  | 'cli/bench/driver'

/** Sources run as they are in development; else dist/ holds the entry points, and what they share in chunks beside them. */
const isSource = import.meta.url.endsWith('.ts')

/** The folder of package.json. The program cannot know how deep below it stands the chunk that this line is built into. */
const home = nearestHome(new URL('.', import.meta.url))

function nearestHome(folder: URL): URL {
  if (existsSync(new URL('package.json', folder))) return folder
  const above = new URL('..', folder)
  if (above.href === folder.href) throw new Error('weir is not installed whole: its package.json is missing')
  return nearestHome(above)
}

/** Of a file beside package.json, or below it. */
export function packageFile(path: string): URL {
  return new URL(path, home)
}

/** Of a part of the program. */
export function entryPoint(name: EntryPoint): URL {
  return packageFile(isSource ? `src/${name}.ts` : `dist/${name}.js`)
}

/** Of the files of the dashboard, which browsers get as they are. */
export function pageFolder(): URL {
  return packageFile(isSource ? 'src/primary/admin/page/' : 'dist/page/')
}
