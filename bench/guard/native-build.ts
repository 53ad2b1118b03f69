/**
 * The counting programs, built from the engine of any tree and the operations of this one. Objects are kept by what they are made of, so
 * two trees that differ in one file share all others.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { inParallel, mustRun, run } from './run.ts'
import { root, workshop } from './trees.ts'

/** As native/binding.gyp has them, but for what only a shared object needs. Warnings are not our question: the compiler may be a newer one. */
const flags = [
  '-std=c++20',
  '-O2',
  '-fno-exceptions',
  '-fno-rtti',
  '-fstack-protector-strong',
  '-D_FORTIFY_SOURCE=2',
  '-fvisibility=hidden',
  '-fno-plt',
]
const objects = join(workshop, 'objects')
const own = join(root, 'bench/guard/native')
const tests = join(root, 'test/native')

/** One program per file, so that an engine without one part of today's has the others counted. */
export const programs = {
  heads: [],
  header_programs: [],
  bodies: [],
  board: [],
  records: [],
  exchange: ['lib/test_bed.cc', 'lib/peer.cc', 'lib/virtual_clock.cc'],
} satisfies Record<string, string[]>
export type ProgramName = keyof typeof programs

export interface Engine {
  /** Folder with `native/` in it. */
  tree: string
  /** Planted: see native/base/waste.h. */
  wasteNs: number
}

export interface BuiltPrograms {
  /** Paths of executables. */
  programs: Map<ProgramName, string>
  /** Those that this engine cannot be linked into, with the compiler's reason. */
  missing: Map<ProgramName, string>
}

interface Source {
  path: string
  /** Where its includes are looked for. */
  includes: string[]
  wasteNs: number
}

/** Builds the programs. Rejects when the engine itself does not compile. */
export async function buildPrograms(engine: Engine, names: ProgramName[]): Promise<BuiltPrograms> {
  mkdirSync(objects, { recursive: true })
  const sources = engineSources(engine)
  const failures = await compileAll(sources)
  const [broken] = failures.values()
  if (broken !== undefined) throw new Error(`the engine in ${engine.tree} does not compile: ${broken}`)
  const built: BuiltPrograms = { programs: new Map(), missing: new Map() }
  const archive = await archiveOf([...new Set(sources.map(objectOf))])
  await inParallel(availableParallelism(), names, async (name) => {
    const made = await makeProgram(name, engine, archive)
    if (made.reason === null) built.programs.set(name, made.path)
    else built.missing.set(name, made.reason)
  })
  return built
}

function engineSources({ tree, wasteNs }: Engine): Source[] {
  const native = join(tree, 'native')
  return readdirSync(native, { withFileTypes: true })
    .filter((folder) => folder.isDirectory() && folder.name !== 'binding' && folder.name !== 'build')
    .flatMap((folder) => readdirSync(join(native, folder.name)).map((file) => join(native, folder.name, file)))
    .filter((path) => path.endsWith('.cc') && !/\/openssl_\w+\.cc$/.test(path))
    .toSorted()
    .map((path) => ({ path, includes: [native], wasteNs }))
}

async function makeProgram(name: ProgramName, engine: Engine, archive: string): Promise<{ path: string; reason: string | null }> {
  const includes = [join(engine.tree, 'native'), own, tests]
  const paths = [join(own, 'instructions.cc'), join(own, `${name}.cc`), ...programs[name].map((file) => join(tests, file))]
  const parts = paths.map((path): Source => ({ path, includes, wasteNs: 0 }))
  const [failure] = (await compileAll(parts)).values()
  const files = parts.map(objectOf)
  const path = join(workshop, 'programs', hashOf([archive, ...files]), name)
  if (failure !== undefined) return { path, reason: failure }
  if (existsSync(path)) return { path, reason: null }
  mkdirSync(dirname(path), { recursive: true })
  const partial = partialOf(path)
  const linked = await run([compiler(), '-o', partial, ...files, archive, '-lpthread'])
  if (linked.code !== 0) return { path, reason: firstError(linked.stderr) }
  renameSync(partial, path)
  return { path, reason: null }
}

/** Compiles what is not there yet. Answers what went wrong, by source. */
async function compileAll(sources: Source[]): Promise<Map<string, string>> {
  const failures = new Map<string, string>()
  await inParallel(availableParallelism(), sources, async (source) => {
    const object = objectOf(source)
    if (existsSync(object)) return utimesSync(object, new Date(), new Date())
    const partial = partialOf(object)
    const { code, stderr } = await run([compiler(), ...wordsOf(source), '-c', source.path, '-o', partial])
    if (code === 0) renameSync(partial, object)
    else failures.set(source.path, firstError(stderr))
  })
  return failures
}

async function archiveOf(files: string[]): Promise<string> {
  const archive = join(objects, `${hashOf(files)}.a`)
  if (existsSync(archive)) return archive
  const partial = partialOf(archive)
  await mustRun(['ar', 'rcs', partial, ...files])
  renameSync(partial, archive)
  return archive
}

let partials = 0

/** Where a file is made until it is whole. Two programs may make the same object at once, in this process or in another one. */
function partialOf(path: string): string {
  return `${path}.${process.pid}.${partials++}`
}

function wordsOf(source: Source): string[] {
  const wastes = source.wasteNs > 0 && closureOf(source).some((path) => path.endsWith('/native/base/waste.h'))
  const planted = wastes ? [`-DWEIR_WASTE_NS=${source.wasteNs}`, '-DWEIR_WASTE_IS_COUNTED'] : []
  return [...flags, ...planted, ...source.includes.map((folder) => `-I${folder}`)]
}

/** Named after the compiler, its words, and the content of the source and all that it includes: never after where they lie. */
function objectOf(source: Source): string {
  const words = wordsOf(source).filter((word) => !word.startsWith('-I'))
  const contents = closureOf(source).map((path) => textOf(path))
  return join(objects, `${hashOf([compilerVersion(), ...words, ...contents])}.o`)
}

/** The source and what it includes with quotes, directly or not. System headers belong to the compiler's version. */
function closureOf({ path, includes }: Source): string[] {
  const found = [path]
  for (const at of found) {
    for (const [, name = ''] of textOf(at).matchAll(/^\s*#\s*include\s*"([^"]+)"/gm)) {
      const file = [dirname(at), ...includes]
        .map((folder) => join(folder, name))
        .find((candidate) => texts.has(candidate) || existsSync(candidate))
      if (file !== undefined && !found.includes(file)) found.push(file)
    }
  }
  return found
}

const texts = new Map<string, string>()

function textOf(path: string): string {
  const text = texts.get(path) ?? readFileSync(path, 'utf8')
  texts.set(path, text)
  return text
}

function hashOf(parts: string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}:`).update(part)
  return hash.digest('hex').slice(0, 32)
}

function firstError(text: string): string {
  const line = text.split('\n').find((one) => /error|undefined reference/.test(one)) ?? text.split('\n')[0] ?? ''
  return line.replaceAll(`${root}/`, '').trim().slice(0, 200)
}

/** The C++ compiler. */
export function compiler(): string {
  return process.env['BENCH_CXX'] ?? 'g++'
}

let version: string | undefined

/** The first line of what the compiler says of itself. Throws an Error when there is none. */
export function compilerVersion(): string {
  version ??= readVersion()
  return version
}

function readVersion(): string {
  const asked = spawnSync(compiler(), ['--version'], { encoding: 'utf8' })
  const line = asked.status === 0 ? asked.stdout.split('\n')[0] : undefined
  if (!line) throw new Error(`the counting programs are built by a C++20 compiler, and ${compiler()} is none: apt install g++`)
  return line
}

/** Objects and programs that nobody used for a week. */
export function sweepObjects(now = Date.now()): void {
  for (const folder of [objects, join(workshop, 'programs')]) {
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      const path = join(folder, name)
      if (now - statSync(path).mtimeMs > 7 * 86_400_000) rmSync(path, { recursive: true, force: true })
    }
  }
}
