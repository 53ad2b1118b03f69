/** Trees of sources beside this one. They lie below build/guard; the user's files, index and worktree list are never touched. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { mustRun } from './run.ts'

/** Of this checkout. */
export const root = join(import.meta.dirname, '../..')
/** Everything that the guard makes. */
export const workshop = join(root, 'build/guard')

/** The sources of a commit in a folder of their own, unpacked once. Rejects when git cannot. */
export async function treeOf(commit: string): Promise<string> {
  const tree = join(workshop, `base-${commit.slice(0, 12)}`)
  if (existsSync(tree)) return tree
  const partial = `${tree}.${process.pid}`
  mkdirSync(partial, { recursive: true })
  const archive = join(partial, '.archive.tar')
  try {
    // An archive and no worktree: no hook runs, and nothing is left in .git.
    await mustRun(['git', '-C', root, 'archive', '--format=tar', `--output=${archive}`, commit])
    await mustRun(['tar', '-xf', archive, '-C', partial])
    rmSync(archive)
    renameSync(partial, tree)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
  return tree
}

/** Trees and objects of earlier commits, but for the newest few. */
export function sweepTrees(keep: string): void {
  for (const name of existsSync(workshop) ? readdirSync(workshop) : []) {
    if (/^base-[0-9a-f]{12}(\.\d+)?$/.test(name) && join(workshop, name) !== keep)
      rmSync(join(workshop, name), { recursive: true, force: true })
  }
}

/**
 * Makes a tree able to run: packages, addon, dist/. What is the same as here is taken from here; each step is done once.
 * `waste` in ns per exchange builds the addon with the planted slow-down.
 */
export async function makeRunnable(tree: string, waste = 0): Promise<void> {
  await shareModules(tree)
  await makeAddon(tree, waste)
  if (!existsSync(join(tree, 'dist/main.js'))) await inTree(tree, [process.execPath, '--import', 'tsx', 'scripts/bundle.ts'])
}

/** A copy of what this checkout builds from, to be built otherwise. */
export function copyOfHere(name: string): string {
  const tree = join(workshop, name)
  rmSync(tree, { recursive: true, force: true })
  mkdirSync(tree, { recursive: true })
  const built = join(root, 'native/build')
  for (const part of ['src', 'scripts', 'native', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']) {
    cpSync(join(root, part), join(tree, part), { recursive: true, filter: (from) => from !== built })
  }
  return tree
}

async function shareModules(tree: string): Promise<void> {
  const modules = join(tree, 'node_modules')
  if (existsSync(modules)) return
  if (sameFile(tree, 'package-lock.json')) return symlinkSync(join(root, 'node_modules'), modules)
  progress('packages of the base are others than ours: installing them')
  await inTree(tree, ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--update-notifier=false'])
}

async function makeAddon(tree: string, waste: number): Promise<void> {
  const addon = 'native/build/Release/weir.node'
  if (existsSync(join(tree, addon))) return
  if (waste === 0 && existsSync(join(root, addon)) && isSameNative(tree)) {
    mkdirSync(dirname(join(tree, addon)), { recursive: true })
    return cpSync(join(root, addon), join(tree, addon))
  }
  progress('building the addon')
  const headers = join(dirname(process.execPath), '..')
  const nodedir = existsSync(join(headers, 'include/node/node_api.h')) ? [`--nodedir=${headers}`] : []
  // gyp reads variables from there; words behind `--` would reach make, too.
  const planted = waste === 0 ? [] : [`GYP_DEFINES=waste_ns=${waste}`]
  await inTree(tree, [...planted, 'npm', 'run', '--silent', 'native', '--', ...nodedir])
}

/** Runs a program to its end in a tree. It gets no flags of a make around us, which node-gyp's own would read. */
async function inTree(tree: string, command: string[]): Promise<void> {
  const without = ['MAKEFLAGS', 'MFLAGS', 'MAKELEVEL'].flatMap((name) => ['-u', name])
  await mustRun(['env', '-C', tree, ...without, 'JOBS=max', ...command], 600_000)
}

function isSameNative(tree: string): boolean {
  const files = sourcesBelow(root, 'native')
  const others = sourcesBelow(tree, 'native')
  return files.join() === others.join() && [...files, 'src/native/abi.ts'].every((file) => sameFile(tree, file))
}

/** Files below a folder of a tree, by their path in the tree; what was built there is left out. */
export function sourcesBelow(tree: string, folder: string): string[] {
  return readdirSync(join(tree, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(tree.length + 1))
    .filter((path) => !path.startsWith('native/build/'))
    .toSorted()
}

function sameFile(tree: string, path: string): boolean {
  const [ours, theirs] = [join(root, path), join(tree, path)]
  return existsSync(ours) && existsSync(theirs) && readFileSync(ours).equals(readFileSync(theirs))
}

export function progress(what: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${what}` : `${what}\n`)
}
