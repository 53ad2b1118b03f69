/** Runs the real balancer, `dist/main.js run FILE`, as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { childrenOf, isRunning } from './processes.ts'
import { noteAddress, onTransport, prepareTransport } from './transport.ts'
import { inTime, type Scope, until } from './wait.ts'

/** What is run: the build of this checkout, or WEIR_TEST_MAIN (an installed package). */
export const MAIN = process.env['WEIR_TEST_MAIN'] ?? fileURLToPath(new URL('../../../dist/main.js', import.meta.url))
/** The node that runs the balancer: WEIR_TEST_NODE, or the one that runs the test. */
export const NODE = process.env['WEIR_TEST_NODE'] ?? process.execPath

const READY_MS = 20_000
const STOP_MS = 10_000

/**
 * What most scenarios leave out: servers see only the connections of the scenario, and an answer comes at once. Those about health,
 * waiting and balancing ask for weir's own defaults.
 */
const QUIET = { balance: 'least-connections', health: 'off', passiveHealth: 'off', slowStart: 'off', queue: 'off', hold: 'off' }

export interface BalancerOptions {
  workers?: number
  /** Upstreams have the defaults of weir where the config says nothing, instead of the quiet ones of most scenarios. */
  usesDefaults?: boolean
  env?: Record<string, string>
  /** Further arguments after the file's name. */
  args?: string[]
  /** Name of the config's file, for a text that is not YAML. */
  fileName?: string
  /** Set by scenarios that end processes on purpose; otherwise a worker or primary that went away fails the test. */
  losesProcesses?: boolean
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface Balancer {
  readonly pid: number
  /** The folder of its config, where its control socket is, too. */
  readonly folder: string
  readonly configFile: string
  /** Port of a listener's first TCP address. */
  port(listener?: string): number
  /** All addresses of a listener as they were printed, e.g. `http://127.0.0.1:41234` or `unix:/path`. */
  addresses(listener?: string): string[]
  url(path?: string, listener?: string): string
  workerPids(): number[]
  /** Standard output and error so far. */
  log(): string
  stdout(): string
  signal(signal: NodeJS.Signals): void
  /** TERM, then waits for the end. */
  stop(): Promise<Exit>
  readonly exited: Promise<Exit>
}

/** Writes the config's file anew for the next reload, on the transport of the scenario. */
export function rewriteConfig(weir: Pick<Balancer, 'configFile'>, config: ConfigInput): void {
  writeFileSync(weir.configFile, typeof config === 'string' ? config : stringify(onTransport(config)))
}

/** Config of the process as it stands in the file: an object, or the YAML text itself. */
export type ConfigInput = Record<string, unknown> | string

/**
 * Starts a balancer, waits until it is ready, and ends it when the scope ends.
 * @throws when it is not ready in time or ends before; the message holds its output
 */
export async function startBalancer(scope: Scope, config: ConfigInput, options: BalancerOptions = {}): Promise<Balancer> {
  await prepareTransport()
  const run = launch(scope, onTransport(config), options)
  try {
    await until(() => / ready \(\d+ workers?\)/.test(run.log()) || run.hasEnded(), { within: READY_MS, what: 'the balancer is ready' })
    if (run.hasEnded()) throw new Error('it ended instead')
  } catch (cause) {
    // Where a file starts its balancer before its first test, a failure here would end the file without its clean-up.
    await run.dispose()
    throw new Error(`the balancer did not get ready:\n${run.log()}`, { cause })
  }
  const balancer = describe(run)
  guard(balancer, run, options)
  return balancer
}

/** Runs a balancer that is expected to refuse its config, and returns how it ended and what it wrote to standard error. */
export async function runToEnd(
  scope: Scope,
  config: ConfigInput,
  options: BalancerOptions = {},
): Promise<Exit & { stdout: string; stderr: string }> {
  await prepareTransport()
  const run = launch(scope, onTransport(config), options)
  const exit = await inTime(run.exited, { within: READY_MS, what: 'the end of the balancer' })
  return { ...exit, stdout: run.stdout(), stderr: run.stderr() }
}

interface Run {
  child: ChildProcess
  folder: string
  configFile: string
  exited: Promise<Exit>
  hasEnded(): boolean
  /** Runs before the end; throws when something went wrong in between. */
  check(): void
  /** Ends the process and removes its folder; may be called twice. */
  dispose(): Promise<void>
  log(): string
  stdout(): string
  stderr(): string
}

/** The file's text. A key that the config gives, in whatever form, wins over the quiet default. */
function textOf(config: ConfigInput, { workers, usesDefaults = false }: BalancerOptions): string {
  if (typeof config === 'string') return config
  const upstreams = config['upstreams'] as Record<string, Record<string, unknown>> | undefined
  const quiet = Object.entries(upstreams ?? {}).map(([name, upstream]) => [name, { ...QUIET, ...upstream }])
  return stringify({
    ...config,
    ...(usesDefaults || upstreams === undefined ? {} : { upstreams: Object.fromEntries(quiet) }),
    ...(workers === undefined ? {} : { workers }),
    // Idle connections need not be closed one by one when a scenario ends.
    ...(usesDefaults ? {} : { shutdown: { spread: '0s', ...(config['shutdown'] as object | undefined) } }),
  })
}

function launch(scope: Scope, config: ConfigInput, options: BalancerOptions): Run {
  const { env = {}, args = [], fileName = 'weir.yaml' } = options
  const folder = mkdtempSync(join(tmpdir(), 'weir-scenario-'))
  const path = join(folder, fileName)
  writeFileSync(path, textOf(config, options))
  const preload = process.env['WEIR_TEST_LD_PRELOAD']
  const child = spawn(NODE, [MAIN, 'run', path, ...args], {
    // Commands reach this one and no other.
    env: { ...process.env, XDG_RUNTIME_DIR: folder, ...(preload === undefined ? {} : { LD_PRELOAD: preload }), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const run = record(child, folder, path)
  run.dispose = async () => {
    await end(run)
    rmSync(folder, { recursive: true, force: true })
  }
  scope.after(async () => {
    try {
      run.check()
    } finally {
      await run.dispose()
    }
  })
  return run
}

function record(child: ChildProcess, folder: string, configFile: string): Run {
  const all: Buffer[] = []
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout?.on('data', (bytes: Buffer) => void (all.push(bytes), out.push(bytes)))
  child.stderr?.on('data', (bytes: Buffer) => void (all.push(bytes), err.push(bytes)))
  let ended = false
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject)
    // 'exit' and not 'close': a worker that outlives the primary would hold the pipes open.
    child.once('exit', (code, signal) => {
      ended = true
      setImmediate(() => resolve({ code, signal }))
    })
  })
  const text = (parts: Buffer[]) => Buffer.concat(parts).toString('utf8')
  return {
    child,
    folder,
    configFile,
    exited,
    hasEnded: () => ended,
    check: () => undefined,
    dispose: async () => undefined,
    log: () => text(all),
    stdout: () => text(out),
    stderr: () => text(err),
  }
}

function describe(run: Run): Balancer {
  const pid = run.child.pid as number
  const lines = [...run.stdout().matchAll(/listening on (\S+) \((\S+)\)/g)]
  for (const [, address] of lines) noteAddress(address as string)
  const addresses = (listener = 'web') => lines.filter((line) => line[2] === listener).map((line) => line[1] as string)
  const port = (listener?: string) => Number(new URL(addresses(listener).find((text) => !text.startsWith('unix:')) ?? 'http://none:0').port)
  return {
    pid,
    folder: run.folder,
    configFile: run.configFile,
    port,
    addresses,
    url: (path = '/', listener) => `${addresses(listener)[0]}${path}`,
    workerPids: () => childrenOf(pid),
    log: run.log,
    stdout: run.stdout,
    signal: (signal) => void process.kill(pid, signal),
    exited: run.exited,
    async stop() {
      if (!run.hasEnded()) process.kill(pid, 'SIGTERM')
      return inTime(run.exited, { within: STOP_MS, what: 'the end of the balancer' })
    },
  }
}

// No input may end a process: whatever a scenario sent, the processes it began with must be there at its end.
function guard(balancer: Balancer, run: Run, { losesProcesses = false }: BalancerOptions): void {
  const workers = balancer.workerPids()
  let stopAsked = losesProcesses
  const stop = balancer.stop
  balancer.stop = () => {
    stopAsked = true
    return stop()
  }
  const signal = balancer.signal
  balancer.signal = (name) => {
    stopAsked = true
    signal(name)
  }
  run.check = () => {
    if (stopAsked) return
    if (run.hasEnded()) throw new Error(`the balancer ended by itself:\n${run.log()}`)
    const lost = workers.filter((pid) => !isRunning(pid))
    if (lost.length > 0) throw new Error(`worker ${lost.join(', ')} went away:\n${run.log()}`)
  }
}

async function end(run: Run): Promise<void> {
  if (run.hasEnded() || run.child.pid === undefined) return
  const family = childrenOf(run.child.pid)
  // QUIT waits for clients; a second TERM does not.
  run.child.kill('SIGTERM')
  setTimeout(() => run.child.kill('SIGTERM'), 300).unref()
  await inTime(run.exited, { within: 3_000 }).catch(() => run.child.kill('SIGKILL'))
  for (const pid of family.filter(isRunning)) endQuietly(pid)
}

function endQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended between the look and the signal.
  }
}
