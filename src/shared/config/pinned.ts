import { readFile, realpath, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileFault } from './file-fault.ts'
import { type FoundImport, importsIn } from './pinned-imports.ts'

/**
 * A config that is a program, as its files were when it was read. It can be sent to another process, where `loadPinned` of load.ts
 * makes the same config of it, whatever the files hold by then.
 */
export interface PinnedModule {
  /** As the user named it. */
  path: string
  /** Where it really is; a key of `files`. */
  main: string
  /** Texts of the file and of all that it imports by path, and they in turn, by their real paths. */
  files: Record<string, string>
  /** What each of them imports of the others. */
  imports: Record<string, FoundImport[]>
}

const mostFiles = 200
const mostBytes = 8 * 1024 * 1024

/**
 * Reads a TypeScript or JavaScript config and every file that it imports by its path, at any depth, without running any. Packages are
 * not read, nor what is imported by a name that is computed, nor files that the program reads itself. Throws an Error with a sentence
 * for people: for a file that cannot be read, for more than 200 files, or more than 8 MiB.
 */
export async function pinModule(path: string): Promise<PinnedModule> {
  const main = await readable(path, () => realpath(resolve(path)))
  const pinned: PinnedModule = { path, main, files: {}, imports: {} }
  const open = [main]
  let bytes = 0
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (pinned.files[file] !== undefined) continue
    const text = await readable(file, () => textOf(file))
    bytes += Buffer.byteLength(text)
    pinned.files[file] = text
    if (Object.keys(pinned.files).length > mostFiles) throw new Error(`${path} imports more than ${mostFiles} files`)
    if (bytes > mostBytes) throw new Error(`${path} and what it imports are larger than 8MiB`)
    const imports = file.endsWith('.json') ? [] : importsIn(text, file)
    pinned.imports[file] = imports
    open.push(...imports.map((found) => found.file))
  }
  return pinned
}

/** Whether two are the same program: another text anywhere makes it another one. */
export function isSamePinned(a: PinnedModule, b: PinnedModule): boolean {
  return changedFiles(a, b).length === 0
}

/** Real paths of the files that differ between two, or are of one only. */
export function changedFiles(a: PinnedModule, b: PinnedModule): string[] {
  const paths = new Set([...Object.keys(a.files), ...Object.keys(b.files)])
  return [...paths].filter((path) => a.files[path] !== b.files[path])
}

async function textOf(path: string): Promise<string> {
  const found = await stat(path)
  // A pipe or a device could be read without end.
  if (!found.isFile() || found.size > mostBytes) throw new Error(found.isFile() ? 'larger than 8MiB' : 'not a regular file')
  return readFile(path, 'utf8')
}

async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    const why = error instanceof Error && !('code' in error) ? error.message : fileFault(error)
    throw new Error(`${path}: ${why}`)
  }
}
