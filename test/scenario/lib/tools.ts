/** Real servers as child processes of a test: found on this machine, started on a free port, ended by their own pid. */
import { execFile, spawn } from 'node:child_process'
import { accessSync, chownSync, constants, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { inTime, type Scope, until } from './wait.ts'

const OTHER_PLACES = ['/usr/sbin', '/usr/local/sbin', '/usr/bin', '/usr/local/bin']
const run = promisify(execFile)

/** Full path of a program that lies in PATH or in one of these folders, or undefined. */
export function findTool(name: string, folders: readonly string[] = []): string | undefined {
  const places = [...folders, ...(process.env['PATH'] ?? '').split(delimiter), ...OTHER_PLACES]
  return places.map((place) => join(place, name)).find(isExecutable)
}

/** Full paths of all these programs. Where some are missing the test is skipped, its report names them, and the answer is undefined. */
export function needsTools<Name extends string>(
  t: TestContext,
  names: readonly Name[],
  folders: readonly string[] = [],
): Record<Name, string> | undefined {
  const found = names.map((name) => [name, findTool(name, folders)] as const)
  const missing = found.filter(([, path]) => path === undefined).map(([name]) => name)
  if (missing.length === 0) return Object.fromEntries(found) as Record<Name, string>
  t.skip(`needs ${missing.join(', ')}, which is not installed`)
  return undefined
}

/** Children of a folder that may not exist. */
export function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** A folder of its own that goes with the scope; `owner` may be another user where the test runs as root. */
export function folderFor(scope: Scope, name: string, owner?: Account): string {
  const folder = mkdtempSync(join(tmpdir(), `weir-${name}-`))
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid)
  scope.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface Account {
  uid: number
  gid: number
}

export interface ToolOptions {
  /** The ports that it opens; it is ready when all accept connections. */
  ports: number[]
  /** Who it runs as; the user of the test unless told otherwise. */
  as?: Account | undefined
  /** How it is told to end. */
  signal?: NodeJS.Signals
}

/**
 * Starts a server program and waits until its ports are open; it ends with the scope.
 * @throws when it ends before or is not ready in time; the message holds what it wrote
 */
export async function startTool(
  scope: Scope,
  program: string,
  args: string[],
  { ports, as, signal = 'SIGTERM' }: ToolOptions,
): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...as })
  const output: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => void output.push(bytes))
  let ended = false
  const exited = new Promise<void>((resolve) => {
    const end = () => {
      ended = true
      resolve()
    }
    child.once('exit', end)
    child.once('error', end)
  })
  scope.after(async () => {
    if (!ended) child.kill(signal)
    await inTime(exited, { what: `the end of ${program}` }).catch(() => child.kill('SIGKILL'))
  })
  try {
    await until(async () => ended || (await Promise.all(ports.map(isOpen))).every(Boolean), { within: 15_000, what: 'its ports are open' })
    if (ended) throw new Error('it ended instead')
  } catch (cause) {
    throw new Error(`${program} did not get ready:\n${Buffer.concat(output).toString('utf8')}`, { cause })
  }
}

/** Runs a program to its end and returns its standard output. @throws when it fails; the message holds its standard error */
export async function output(program: string, args: string[], { within = 30_000, env = {} } = {}): Promise<string> {
  return (await run(program, args, { maxBuffer: 1e8, timeout: within, env: { ...process.env, ...env } })).stdout
}

/** The same with bytes for its standard input. */
export function outputOf(program: string, args: string[], input: string | Buffer, within = 30_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { maxBuffer: 1e8, timeout: within, encoding: 'latin1' }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    )
    child.stdin?.on('error', reject)
    child.stdin?.end(input)
  })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
