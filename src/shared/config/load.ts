import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname, extname, join, resolve } from 'node:path'
import { readAdminToken } from './admin-token.ts'
import { buildConfig } from './build.ts'
import { checkDocument } from './check.ts'
import { ConfigDocument, unreadable } from './document.ts'
import type { Environment } from './environment.ts'
import { readErrorPages } from './error-pages.ts'
import { fileFault } from './file-fault.ts'
import type { Config } from './model.ts'
import { shown } from './parsed.ts'
import type { PinnedModule } from './pinned.ts'
import type { ConfigProblem } from './problem.ts'
import { readModule, readPinned } from './read-module.ts'
import { readValue } from './read-value.ts'
import { readYaml } from './read-yaml.ts'
import { checkRules } from './rules.ts'
import type { ConfigInput } from './schema.ts'

export type LoadResult = { ok: true; config: Config; warnings: ConfigProblem[] } | { ok: false; problems: ConfigProblem[] }

const mostBytes = 8 * 1024 * 1024
const textExtensions = ['.yaml', '.yml', '.json']
const moduleExtensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs']

/** The names that `findConfig` looks for, in this order. */
export const configNames = ['weir.yaml', 'weir.yml', 'weir.json', 'weir.config.ts', 'weir.config.js', 'weir.config.mjs'] as const

/**
 * Reads, checks and completes a config file: YAML, JSON, TypeScript or JavaScript. Never throws: what is wrong with the file
 * or in it is in the result, every problem with its place. The same file gives the same config in every process.
 */
export async function loadConfig(path: string, env: Environment = process.env): Promise<LoadResult> {
  const document = await readDocument(path, env)
  return finished(document, dirname(resolve(path)))
}

/**
 * The config of exactly the texts that were pinned, see `pinModule`. Error pages are read from their files as they are now. Never
 * throws, as `loadConfig`.
 */
export async function loadPinned(pinned: PinnedModule, env: Environment = process.env): Promise<LoadResult> {
  return finished(await readPinned(pinned, env), dirname(resolve(pinned.path)))
}

/** Checks and completes a config that a program made; `source` names it in messages. Files in it are relative to the working directory. */
export function configFromInput(input: ConfigInput, source: string, env: Environment = process.env): LoadResult {
  return finished(readValue(input, source, env), process.cwd())
}

/** Checks and completes the text of a YAML or JSON config, as `loadConfig` does with the file, which is not read. */
export function configFromText(text: string, path: string, env: Environment = process.env): LoadResult {
  return finished(readYaml(text, path, env), dirname(resolve(path)))
}

/** Whether a config is a program, TypeScript or JavaScript, by its name. */
export function isModuleFile(path: string): boolean {
  return moduleExtensions.includes(extname(path).toLowerCase())
}

/** The config file of a directory, or null when it has none. */
export function findConfig(cwd: string): string | null {
  return configNames.map((name) => join(cwd, name)).find((path) => existsSync(path)) ?? null
}

async function readDocument(path: string, env: Environment): Promise<ConfigDocument> {
  const extension = extname(path).toLowerCase()
  const fault = await faultOf(path, extension)
  if (fault !== null) return unread(path, fault)
  if (moduleExtensions.includes(extension)) return readModule(path, env)
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path))
    return readYaml(text, path, env)
  } catch (error) {
    return unread(path, error instanceof TypeError ? 'not valid UTF-8 text' : fileFault(error))
  }
}

async function faultOf(path: string, extension: string): Promise<string | null> {
  try {
    const file = await stat(path)
    if (file.isDirectory()) return 'is a directory, expected a config file'
    // A pipe or a device could be read once or without end; workers have to read the same again.
    if (!file.isFile()) return 'not a regular file'
    if (file.size > mostBytes) return 'larger than 8MiB, which no config is'
  } catch (error) {
    return fileFault(error)
  }
  const known = [...textExtensions, ...moduleExtensions]
  return known.includes(extension) ? null : `unknown kind of file, expected one of ${known.join(', ')}`
}

function unread(path: string, message: string): ConfigDocument {
  const document = new ConfigDocument(path, null)
  document.value = unreadable
  document.textProblem(null, message)
  return document
}

function finished(document: ConfigDocument, directory: string): LoadResult {
  if (document.value === unreadable) return failed(document)
  if (!isRoot(document.value)) {
    document.textProblem(
      null,
      document.value === null ? 'the config is empty' : `expected a map with listeners and upstreams, found ${shown(document.value)}`,
    )
    return failed(document)
  }
  const checked = checkDocument(document)
  checkRules(document)
  const pages = readErrorPages(document, directory)
  const adminToken = readAdminToken(document, directory)
  if (document.problems.length > 0) return failed(document)
  return { ok: true, config: buildConfig(checked, { document, pages, adminToken, directory }), warnings: document.warnings }
}

function isRoot(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Problems in the order of the file, as a reader goes through it. */
function failed(document: ConfigDocument): LoadResult {
  const place = (problem: ConfigProblem) => (problem.line ?? 0) * 1e6 + (problem.column ?? 0)
  return { ok: false, problems: document.problems.toSorted((a, b) => place(a) - place(b)) }
}
