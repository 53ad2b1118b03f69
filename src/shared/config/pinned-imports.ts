import { existsSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One import of a file by another one. */
export interface FoundImport {
  /** As it stands in the text. */
  specifier: string
  /** The real path of the file that it means. */
  file: string
  /** It is required, so it cannot be waited for. */
  isRequired: boolean
}

/** In this order a name without its ending, or with the one that it will have once it is compiled, is looked for. */
const endings = ['.js', '.mjs', '.cjs', '.ts', '.tsx', '.mts', '.cts', '.json']
const compiled: Record<string, string> = { '.js': '.ts', '.mjs': '.mts', '.cjs': '.cts' }

/**
 * The files that a module's text names: imports, exports from, `import()` and `require()` of relative and absolute paths and of file URLs.
 * A text that only looks like one is no harm: a file more is remembered.
 */
export function importsIn(text: string, path: string): FoundImport[] {
  const found = new Map<string, FoundImport>()
  for (const [, word = '', specifier = ''] of text.matchAll(
    /\b(from|import|require)\s*\(?\s*["'`]((?:\.{1,2}(?:\/|(?=["'`]))|\/|file:)[^"'`\n]*)["'`]/g,
  )) {
    const file = fileOf(specifier, path)
    const isRequired = word === 'require' || (found.get(specifier)?.isRequired ?? false)
    if (file !== null) found.set(specifier, { specifier, file, isRequired })
  }
  return [...found.values()]
}

/** Null for what is not there, which whoever runs the text is told. */
function fileOf(specifier: string, importer: string): string | null {
  const path = specifier.startsWith('file:') ? pathOfUrl(specifier) : join(specifier.startsWith('/') ? '/' : dirname(importer), specifier)
  const file = path === null ? undefined : candidates(path).find(isFile)
  return file === undefined ? null : realpathSync(file)
}

function candidates(path: string): string[] {
  const ending = /\.[cm]?js$/.exec(path)?.[0]
  const source = ending === undefined ? [] : [path.slice(0, -ending.length) + compiled[ending]]
  return [path, ...source, ...endings.map((end) => path + end), ...endings.map((end) => join(path, `index${end}`))]
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile()
}

function pathOfUrl(url: string): string | null {
  try {
    return fileURLToPath(url)
  } catch {
    return null
  }
}
