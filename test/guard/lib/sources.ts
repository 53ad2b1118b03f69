/** The checkout as text: files, imports and includes. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Paths below a folder, relative to the checkout, whose name ends as asked. What was built or installed is left out. */
export function filesIn(folder: string, ending: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => join(folder, path))
    .filter((path) => ending.test(path) && !/(^|\/)(node_modules|dist|build|coverage)\//.test(path))
    .sort()
}

export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

const comment = /\/\*[\s\S]*?\*\/|\/\/.*/
const quoted = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/
const regex = /(?<=[=(,:;!&|?{}[>]\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//
const noCode = new RegExp([comment, quoted, regex].map(({ source }) => source).join('|'), 'g')

/** Code without comments, quoted text and regular expressions: good enough to look for words of the language. */
export function codeOf(path: string): string {
  return textOf(path).replace(noCode, "''")
}

/** What a TypeScript file imports or re-exports, statically or not, as it is written. */
export function importsOf(path: string): string[] {
  const found = textOf(path).matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^'"\n;]*?(?:\{[^}]*\}[^'"\n;]*?)?\bfrom\s*'([^']+)'|(?:^|\n)import\s*'([^']+)'|\bimport\(\s*'([^']+)'/g,
  )
  return [...found].map((match) => (match[1] ?? match[2] ?? match[3]) as string)
}

/** The same, only files of this checkout, as paths in it. */
export function localImportsOf(path: string): string[] {
  return importsOf(path)
    .filter((name) => name.startsWith('.'))
    .map((name) => normalize(join(dirname(path), name)))
}

/** Project headers that a C++ file includes: `http/plan.h`. */
export function includesOf(path: string): string[] {
  return [...textOf(path).matchAll(/^\s*#\s*include\s*"([^"]+)"/gm)].map((match) => match[1] as string)
}
