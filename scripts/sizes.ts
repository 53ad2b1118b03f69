/** How long files are, by part of the tree: a mirror, not a gate. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const parts: [folder: string, ending: RegExp][] = [
  ['src', /\.ts$/],
  ['native', /\.(cc|h)$/],
  ['test', /\.(ts|cc|h)$/],
  ['bench', /\.(ts|cc|h)$/],
]

function linesOf(folder: string, ending: RegExp): { path: string; lines: number }[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => ending.test(path) && !path.startsWith('build/'))
    .map((path) => ({ path: join(folder, path), lines: readFileSync(join(root, folder, path), 'utf8').split('\n').length - 1 }))
    .sort((a, b) => a.lines - b.lines)
}

for (const [folder, ending] of parts) {
  const files = linesOf(folder, ending)
  const at = (share: number) => files[Math.min(files.length - 1, Math.floor(files.length * share))]?.lines ?? 0
  const longest = files.at(-1)
  const total = files.reduce((sum, file) => sum + file.lines, 0)
  const columns = [`${folder.padEnd(7)} ${files.length} files`, `${total} lines`, `median ${at(0.5)}`, `p90 ${at(0.9)}`]
  process.stdout.write(`${columns.join(', ')}, longest ${longest?.lines} (${longest?.path})\n`)
}
