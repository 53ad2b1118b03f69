/** Runs a command in a shell and process group of its own, and ends all of it when its time is over. */
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import type { CommandEnd, ShellCommand } from './effects.ts'

/** Between TERM and KILL. */
const graceMs = 5_000
/** After KILL: whoever is not gone then waits for its parent to look, and does nothing more. */
const lastMs = 1_000
const lookMs = 20
/** Output that has left the command when it ends may still be on its way. */
const restMs = 200
const longestLine = 64 * 1024

/** @param hurry aborted when nobody wants to wait for TERM to work */
export async function runShellCommand(command: ShellCommand, hurry: AbortSignal): Promise<CommandEnd> {
  if (command.signal.aborted) return { kind: 'stopped' }
  // Its own group, so that the whole of it can be ended; and Ctrl-C on the terminal reaches only us, who see to it in order.
  const child = spawn('/bin/sh', ['-c', command.text], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...command.env },
  })
  const isRead = readLines(child, command.onLine)
  const ended = endOf(child)
  const end = await Promise.race([ended, tooLate(command, ended)])
  if ((end.kind === 'late' || end.kind === 'stopped') && child.pid !== undefined) await endGroup(child.pid, hurry)
  // Not until the pipes are closed: what the command left running in the background may keep them for ever.
  await Promise.race([isRead, delay(restMs, undefined, { ref: false })])
  letGo(child)
  return end
}

function endOf(child: ChildProcess): Promise<CommandEnd> {
  return new Promise((resolve) => {
    child.once('error', ({ message }) => resolve({ kind: 'unstartable', message }))
    child.once('exit', (code, signal) => resolve(code === null ? { kind: 'signal', signal: signal ?? '' } : { kind: 'exit', code }))
  })
}

async function tooLate({ timeoutMs, signal }: ShellCommand, ended: Promise<unknown>): Promise<CommandEnd> {
  const over = new AbortController()
  void ended.then(() => over.abort())
  const timer = delay(timeoutMs, 'late', { signal: AbortSignal.any([signal, over.signal]) })
  await timer.catch(() => undefined)
  return { kind: signal.aborted ? 'stopped' : 'late' }
}

/** TERM, and KILL for what is there after five seconds. Resolves when nothing of the group runs any more. */
async function endGroup(pid: number, hurry: AbortSignal): Promise<void> {
  if (!signalGroup(pid, 'SIGTERM')) return
  // A stopped process would not see TERM.
  signalGroup(pid, 'SIGCONT')
  if (await isGone(pid, graceMs, hurry)) return
  signalGroup(pid, 'SIGKILL')
  await isGone(pid, lastMs, null)
}

async function isGone(pid: number, withinMs: number, hurry: AbortSignal | null): Promise<boolean> {
  for (let left = withinMs; left > 0 && hurry?.aborted !== true; left -= lookMs) {
    if (!signalGroup(pid, 0)) return true
    await delay(lookMs)
  }
  return !signalGroup(pid, 0)
}

/** False when nothing of the group is left. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Resolves when both streams have ended. */
async function readLines({ stdout, stderr }: ChildProcess, onLine: (line: string) => void): Promise<void> {
  const streams = [stdout, stderr].flatMap((stream) => (stream === null ? [] : [stream]))
  await Promise.all(
    streams.map((stream) => {
      const lines = new Lines(onLine)
      stream.setEncoding('utf8')
      stream.on('data', (text: string) => lines.take(text))
      stream.on('error', () => undefined)
      return new Promise<void>((resolve) => stream.once('close', () => resolve(lines.end())))
    }),
  )
}

/**
 * Goes on reading for a process that was left in the background, which a closed pipe would end at its next word; but does not keep this
 * process alive for it.
 */
function letGo({ stdout, stderr }: ChildProcess): void {
  for (const stream of [stdout, stderr]) (stream as { unref?(): void } | null)?.unref?.()
}

/** Text as it comes, as lines without their ends. A very long one is handed over in parts. */
class Lines {
  readonly #onLine: (line: string) => void
  #text = ''

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  take(text: string): void {
    const lines = (this.#text + text).split('\n')
    this.#text = lines.pop() ?? ''
    for (const line of lines) this.#onLine(line.replace(/\r$/, ''))
    if (this.#text.length >= longestLine) this.end()
  }

  end(): void {
    if (this.#text !== '') this.#onLine(this.#text)
    this.#text = ''
  }
}
