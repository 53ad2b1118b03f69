/** Every process and directory a run makes, so that none of them outlives it: not after a failure, not after Ctrl-C. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

/** One core, every core that this process may use, or (null) those of this process, pinned or not. */
export type Core = number | 'all' | null

export type Child = ChildProcessByStdio<Writable, Readable, Readable>

// Read before the suite pins itself: what it starts without saying more shares its core.
const allCores = /^Cpus_allowed_list:\s+(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'

const children = new Set<Child>()
const directories = new Set<string>()

/**
 * Starts a program on a core. It leads its own process group, so that its children can be
 * ended with it.
 */
export function start(core: Core, command: string, args: string[]): Child {
  const [program, words] = core === null ? [command, args] : ['taskset', ['-c', core === 'all' ? allCores : String(core), command, ...args]]
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  children.add(child)
  child.once('exit', () => children.delete(child))
  // A program that cannot be started ends like one that failed; stop() and output() see it.
  child.on('error', () => children.delete(child))
  return child
}

/** Asks the process to end, and ends it and its group by force after two seconds. Returns when it is gone. */
export async function stop(child: Child): Promise<void> {
  if (!isRunning(child)) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const force = setTimeout(() => killGroup(child), 2_000)
  await gone
  clearTimeout(force)
  killGroup(child)
}

/** Runs a program to its end and returns what it printed. Rejects with its stderr when it fails, and after `limitMs`. */
export async function output(core: Core, command: string, args: string[], limitMs = 120_000): Promise<string> {
  const child = start(core, command, args)
  const limit = setTimeout(() => killGroup(child), limitMs)
  const [text, errors] = [collect(child.stdout), collect(child.stderr)]
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).finally(() => clearTimeout(limit))
  if (code === null) throw new Error(`${command} ${args.join(' ')}: ended by ${child.signalCode}, after ${limitMs / 1000} s at the latest`)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit code ${code}: ${errors.text.trim()}`)
  if (errors.text !== '') console.error(`${command}: ${errors.text.trim()}`)
  return text.text
}

/** What a stream has delivered so far, growing. */
export function collect(stream: Readable): { text: string } {
  const collected = { text: '' }
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    collected.text += chunk
  })
  return collected
}

/** The first group of `pattern` once the program has printed it. Rejects after `timeoutMs`, or when it ends before. */
export async function printed(child: Child, pattern: RegExp, timeoutMs: number): Promise<string> {
  const collected = collect(child.stdout)
  const errors = collect(child.stderr)
  const deadline = AbortSignal.timeout(timeoutMs)
  for (;;) {
    const found = pattern.exec(collected.text)
    if (found) return found[1] ?? ''
    if (!isRunning(child)) throw new Error(`${child.spawnfile} ended early: ${errors.text.trim()}`)
    await Promise.race([once(child.stdout, 'data', { signal: deadline }), once(child, 'exit', { signal: deadline })])
  }
}

/** A new directory which workers that gave up root's rights can still enter. Removed when this process ends. */
export function temporaryDirectory(name: string): string {
  const path = mkdtempSync(join(tmpdir(), `weir-bench-${name}-`))
  chmodSync(path, 0o755)
  directories.add(path)
  return path
}

export function removeDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true })
  directories.delete(path)
}

export function isRunning(child: Child): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null
}

/** Makes sure of the promise above. Called once, by the suite. */
export function cleanUpAtExit(): void {
  process.on('exit', () => {
    for (const child of children) killGroup(child)
    for (const path of directories) removeDirectory(path)
  })
  process.on('SIGINT', () => process.exit(130))
  process.on('SIGTERM', () => process.exit(143))
  process.on('SIGHUP', () => process.exit(129))
}

function killGroup(child: Child): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The group is gone already, which is what was wanted.
  }
}
