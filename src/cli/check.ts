import type { CommandModule } from 'yargs'
import { findConfig, type LoadResult, loadConfig } from '../shared/config/load.ts'
import type { Config } from '../shared/config/model.ts'
import { renderProblems } from '../shared/config/problem.ts'
import { checkTls } from '../shared/tls/check-config.ts'

interface CheckArguments {
  config: string | undefined
  serving: boolean
  json: boolean
}

/** `weir check [config]`: every problem of a config with its place, or what it holds. Exit code 0 or 1. */
export const checkCommand: CommandModule<object, CheckArguments> = {
  command: 'check [config]',
  describe: 'Check a config and name every problem in it',
  builder: (yargs) =>
    yargs
      .positional('config', { type: 'string', describe: 'Config file' })
      .option('config', { alias: 'c', type: 'string', describe: 'Config file; weir.yaml and the like in this directory when not given' })
      .option('serving', { type: 'boolean', default: false, hidden: true, describe: 'Only what would keep it from serving is a problem' })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' })
      .example('weir check weir.yaml', 'Before it is used: every problem with its line'),
  handler: async ({ config, json, serving }) => {
    const path = config ?? findConfig('.')
    const result = path === null ? noConfig() : withCertificates(await loadConfig(path), serving)
    if (json) process.stdout.write(`${JSON.stringify(envelope(path, result))}\n`)
    else print(path ?? '', result)
    process.exitCode = result.ok ? 0 : 1
  },
}

/** Certificates are files beside the config, and no part of it that is wrong may go unnoticed. */
function withCertificates(result: LoadResult, isServing: boolean): LoadResult {
  if (!result.ok) return result
  const { problems, outOfDate, warnings } = checkTls(result.config, Date.now())
  const wrong = isServing ? problems : [...problems, ...outOfDate]
  if (wrong.length > 0) return { ok: false, problems: wrong }
  return { ...result, warnings: [...result.warnings, ...(isServing ? outOfDate : []), ...warnings] }
}

function noConfig(): LoadResult {
  const message = 'no weir.yaml, weir.json or weir.config.ts in this directory'
  return {
    ok: false,
    problems: [
      { file: '.', line: null, column: null, path: '', message, hint: 'name a file: weir check path/to/weir.yaml', excerpt: null },
    ],
  }
}

function print(path: string, result: LoadResult): void {
  if (!result.ok) {
    process.stderr.write(renderProblems(result.problems))
    return
  }
  if (result.warnings.length > 0)
    process.stderr.write(renderProblems(result.warnings.map((warning) => ({ ...warning, message: `warning: ${warning.message}` }))))
  process.stdout.write(`${path}: ok (${summary(result.config)})\n`)
}

function envelope(path: string | null, result: LoadResult): Record<string, unknown> {
  const data = result.ok
    ? { file: path, ok: true, ...counts(result.config), problems: [], warnings: result.warnings }
    : { file: path, ok: false, problems: result.problems, warnings: [] }
  return { schema: 'weir.check/1', generation: null, time: new Date().toISOString(), data }
}

function counts({ listeners, upstreams }: Config): Record<'listeners' | 'routes' | 'upstreams' | 'servers', number> {
  return {
    listeners: listeners.length,
    routes: listeners.reduce((sum, listener) => sum + listener.routes.length, 0),
    upstreams: upstreams.length,
    servers: upstreams.reduce((sum, upstream) => sum + upstream.servers.length, 0),
  }
}

/** `2 listeners, 3 routes, 1 upstream, 3 servers`. */
function summary(config: Config): string {
  return Object.entries(counts(config))
    .map(([nouns, count]) => `${count} ${count === 1 ? nouns.slice(0, -1) : nouns}`)
    .join(', ')
}
