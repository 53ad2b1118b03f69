import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LoadResult, loadConfig } from '../../../src/shared/config/load.ts'
import type { Config } from '../../../src/shared/config/model.ts'
import { type ConfigProblem, problemLine } from '../../../src/shared/config/problem.ts'

export const directory = mkdtempSync(join(tmpdir(), 'weir-config-'))

/** Writes a file into the test's directory and returns its path. */
export function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

export async function loadText(text: string, env: Record<string, string> = {}, name = 'weir.yaml'): Promise<LoadResult> {
  return loadConfig(file(name, text), env)
}

/** The config of a text that has to be valid. */
export async function configOf(text: string, env: Record<string, string> = {}): Promise<Config> {
  const result = await loadText(text, env)
  assert.ok(result.ok, result.ok ? '' : result.problems.map(problemLine).join('\n'))
  return result.config
}

/** The problems of a text that has to be invalid, one line each, without the directory. */
export async function problemsOf(text: string, env: Record<string, string> = {}, name = 'weir.yaml'): Promise<string[]> {
  const result = await loadText(text, env, name)
  assert.ok(!result.ok, 'the config was accepted')
  return result.problems.map((problem) => problemLine(problem).replace(`${directory}/`, ''))
}

/** The problems of a text with their hints, without file and place; none where it is valid. */
export async function messagesOf(text: string, env: Record<string, string> = {}): Promise<string[]> {
  const result = await loadText(text, env)
  return result.ok ? [] : result.problems.map(messageOf)
}

/** The same of what is only warned of, in a text that has to be valid. */
export async function warningsOf(text: string): Promise<string[]> {
  const result = await loadText(text)
  assert.ok(result.ok, result.ok ? '' : result.problems.map(problemLine).join('\n'))
  return result.warnings.map(messageOf)
}

function messageOf({ path, message, hint }: ConfigProblem): string {
  return `${path}: ${message}${hint === null ? '' : `; ${hint}`}`
}

/** A config with one route and one upstream; the arguments are put into them as lines of YAML flow. */
export function configWith(parts: { listener?: string; route?: string; upstream?: string; root?: string } = {}): string {
  return [
    parts.root ?? 'workers: 1',
    'listeners:',
    '  web:',
    '    bind: ":8080"',
    ...(parts.listener === undefined ? [] : [`    ${parts.listener}`]),
    '    routes:',
    `      - { ${parts.route ?? 'match: {}, upstream: api'} }`,
    'upstreams:',
    '  api:',
    '    servers: ["127.0.0.1:9001"]',
    ...(parts.upstream === undefined ? [] : [`    ${parts.upstream}`]),
    '',
  ].join('\n')
}
