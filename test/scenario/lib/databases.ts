/** Real PostgreSQL and Redis servers on free ports, and what their own benchmark programs say. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { freePort } from './listening.ts'
import { type Account, entriesOf, folderFor, needsTools, output, outputOf, startTool } from './tools.ts'
import type { Scope } from './wait.ts'

const POSTGRES_TOOLS = ['postgres', 'initdb', 'pgbench', 'psql'] as const
export type PostgresTools = Record<(typeof POSTGRES_TOOLS)[number], string>

const REDIS_TOOLS = ['redis-server', 'redis-cli', 'redis-benchmark'] as const
export type RedisTools = Record<(typeof REDIS_TOOLS)[number], string>

/** PostgreSQL's programs, which Debian keeps outside PATH, a folder per version. Skips the test where some are missing. */
export function needsPostgres(t: TestContext): PostgresTools | undefined {
  const versions = entriesOf('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a))
  const folders = versions.map((version) => `/usr/lib/postgresql/${version}/bin`)
  const tools = needsTools(t, POSTGRES_TOOLS, folders)
  if (tools === undefined || !isRoot() || accountOf('postgres') !== undefined) return tools
  t.skip('needs a user named postgres, as PostgreSQL refuses to run as root')
  return undefined
}

export function needsRedis(t: TestContext): RedisTools | undefined {
  return needsTools(t, REDIS_TOOLS)
}

/** A new, empty PostgreSQL on a port of 127.0.0.1; its superuser is `postgres`, without a password. Returns the port. */
export async function startPostgres(scope: Scope, tools: PostgresTools): Promise<number> {
  const as = isRoot() ? accountOf('postgres') : undefined
  const folder = folderFor(scope, 'postgres', as)
  const data = join(folder, 'data')
  execFileSync(tools.initdb, ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'], { ...as, cwd: '/' })
  const port = await freePort()
  const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off', max_connections: '60' }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  // INT is PostgreSQL's "fast": it does not wait for its clients.
  await startTool(scope, tools.postgres, ['-D', data, '-p', String(port), ...flags], { ports: [port], as, signal: 'SIGINT' })
  return port
}

const isRoot = () => process.getuid?.() === 0

function accountOf(name: string): Account | undefined {
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }))
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    return undefined
  }
}

const place = (port: number) => ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres']

/** What a statement answers, columns separated by `|`. */
export async function sql(tools: PostgresTools, port: number, statement: string): Promise<string> {
  return (await output(tools.psql, [...place(port), '-d', 'postgres', '-X', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', statement])).trim()
}

/** The same with bytes for `\copy … from stdin`. */
export async function copyIn(tools: PostgresTools, port: number, table: string, rows: string): Promise<void> {
  const args = [...place(port), '-d', 'postgres', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-c', `copy ${table} from stdin`]
  await outputOf(tools.psql, args, rows)
}

export interface PgbenchResult {
  processed: number
  failed: number
}

/** Runs pgbench; it fails when a connection or a transaction does. */
export async function pgbench(tools: PostgresTools, port: number, ...args: string[]): Promise<PgbenchResult> {
  const report = await output(tools.pgbench, [...place(port), ...args, 'postgres'])
  return {
    processed: numberIn(report, /number of transactions actually processed: (\d+)/),
    failed: numberIn(report, /number of failed transactions: (\d+)/),
  }
}

/** An empty Redis that keeps nothing on disk. Returns its port. */
export async function startRedis(scope: Scope, tools: RedisTools): Promise<number> {
  const port = await freePort()
  const dir = folderFor(scope, 'redis')
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir]
  await startTool(scope, tools['redis-server'], args, { ports: [port] })
  return port
}

/** What redis-cli prints for one command, or, when there is `input`, for the commands in it. */
export async function redis(tools: RedisTools, port: number, args: string[], input?: string | Buffer): Promise<string> {
  const all = ['-h', '127.0.0.1', '-p', String(port), ...args]
  return input === undefined ? output(tools['redis-cli'], all) : outputOf(tools['redis-cli'], all, input)
}

/** Calls per command that the server counted, and those that failed. */
export async function redisCalls(tools: RedisTools, port: number): Promise<Record<string, { calls: number; failed: number }>> {
  const info = await redis(tools, port, ['info', 'commandstats'])
  const rows = [...info.matchAll(/^cmdstat_(\S+):calls=(\d+),.*rejected_calls=(\d+),failed_calls=(\d+)/gm)]
  return Object.fromEntries(
    rows.map(([, name = '', calls, rejected, failed]) => [name, { calls: Number(calls), failed: Number(rejected) + Number(failed) }]),
  )
}

/** Runs redis-benchmark with these arguments, and returns the names of the tests that it finished. */
export async function redisBenchmark(tools: RedisTools, port: number, ...args: string[]): Promise<string[]> {
  const report = await output(tools['redis-benchmark'], ['-h', '127.0.0.1', '-p', String(port), '-q', '--csv', ...args])
  return report
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',')[0] ?? '')
}

function numberIn(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`nothing like ${pattern} in:\n${text}`)
  return Number(found)
}
