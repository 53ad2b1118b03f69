/** The old primary's side of an upgrade: starts the program anew on the same sockets, and takes it back when it does not get ready. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { ControlError } from '../shared/control/requests.ts'
import { type FromSuccessor, HANDOVER_VERSION, handoverVariable, type ToSuccessor } from './handover.ts'
import type { HandedSocket } from './inherited-sockets.ts'

/** 0 to 2 are the standard ones, 3 is the channel. */
const firstSocketFd = 4
const usualTimeoutMs = 30_000
const probeTimeoutMs = 10_000
/** What has said that it failed may still clean up; milliseconds. */
const lastMomentsMs = 2_000
const mostLines = 10
const mostText = 16_384

/** How the program is started. */
export interface Program {
  file: string
  args: string[]
  /** Arguments with which it only shows that it can start, and read its config; null: not tried. */
  probe: string[] | null
}

export interface SuccessorOptions {
  /** Listening sockets of this process. */
  sockets: readonly HandedSocket[]
  /** JSON, for the successor. */
  state: unknown
  /** Keys of session tickets, for the successor only. */
  ticketKeys?: unknown
  /** Until it is ready; milliseconds. */
  timeoutMs?: number
  log(line: string): void
  /** Ends the attempt: nobody wants a successor any more. */
  signal?: AbortSignal
  /** This program, as it is on the disk now. */
  program?: Program
}

export interface Successor {
  pid: number
  /** Lets go of it: from now on it is on its own, and takes what only one of the two can have. */
  release(): void
}

/**
 * Starts the program anew with the listening sockets and settles when it serves. Throws ControlError when it does not, after every
 * process of it is gone; this weir has not changed then.
 */
export async function startSuccessor(options: SuccessorOptions): Promise<Successor> {
  const { program = thisProgram(), log } = options
  await probe(program)
  const child = launch(program, options.sockets)
  const attempt = new Attempt(child, options)
  try {
    await attempt.ready(options.timeoutMs ?? usualTimeoutMs)
  } catch (error) {
    await attempt.undo()
    log(`upgrade: ${(error as Error).message}`)
    throw error
  }
  const pid = child.pid as number
  return { pid, release: () => attempt.release() }
}

/** `weir check` takes what `weir run` does, and a certificate that has expired must not keep a better program from starting. What runs without a file has nothing to check but itself. */
function thisProgram(): Program {
  const { execPath: file, execArgv, argv } = process
  const [, script = '', verb, ...rest] = argv
  const question = verb === 'run' ? ['check', '--serving', ...rest] : ['--version']
  return { file, args: [...execArgv, ...argv.slice(1)], probe: [...execArgv, script, ...question] }
}

/** A program or a config that is broken is found before anything is handed over, and with what it has to say itself. */
async function probe({ file, probe: args }: Program): Promise<void> {
  if (args === null) return
  const { error, stderr } = await new Promise<{ error: Error | null; stderr: string }>((resolve) =>
    execFile(file, args, { timeout: probeTimeoutMs, killSignal: 'SIGKILL', env: childEnvironment() }, (error, _, stderr) =>
      resolve({ error, stderr }),
    ),
  )
  if (error)
    throw failure(
      'not started anew, as the program on the disk or its config is broken:',
      lastLines(stderr === '' ? error.message : stderr),
    )
}

function launch({ file, args }: Program, sockets: readonly HandedSocket[]): ChildProcess {
  return spawn(file, args, {
    // A session of its own: it outlives this process, and all that it forks can be ended together.
    detached: true,
    env: { ...childEnvironment(), [handoverVariable]: HANDOVER_VERSION },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...sockets.map(({ fd }) => fd)],
  })
}

/** The watchdog belongs to the service and not to a process, once there are two; sockets go another way than systemd's. */
function childEnvironment(): NodeJS.ProcessEnv {
  const { WATCHDOG_PID, LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES, ...env } = process.env
  return env
}

/** One successor on its way. */
class Attempt {
  readonly #child: ChildProcess
  readonly #options: SuccessorOptions
  /** How it ended, in words. */
  readonly #gone: Promise<string>
  #said = ''
  #hasGivenUp = false

  constructor(child: ChildProcess, options: SuccessorOptions) {
    this.#child = child
    this.#options = options
    this.#gone = new Promise((resolve) => {
      child.once('error', (error) => resolve(`it could not be started: ${error.message}`))
      child.once('exit', (code, signal) => resolve(`it ended (${signal ?? `exit ${code}`})`))
    })
  }

  /** Settles when it says that it serves; throws ControlError when it says that it does not, ends, or is late. */
  async ready(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`it was not ready within ${timeoutMs / 1000} s`), timeoutMs)
    })
    const heard = new Promise<string | null>((resolve) => {
      this.#child.on('message', (message: FromSuccessor) => this.#hear(message, resolve))
    })
    const why = await Promise.race([heard, this.#gone, late, this.#unwanted()])
    clearTimeout(timer)
    if (why !== null) throw failure(`the new weir did not get ready: ${why}`, lastLines(this.#said))
  }

  #unwanted(): Promise<string> {
    const { signal } = this.#options
    return new Promise((resolve) => {
      if (signal?.aborted === true) resolve('this weir is stopping')
      signal?.addEventListener('abort', () => resolve('this weir is stopping'), { once: true })
    })
  }

  #hear(message: FromSuccessor, settle: (why: string | null) => void): void {
    const { sockets, state, ticketKeys } = this.#options
    if (message.type === 'hello') {
      const handed = sockets.map(({ bind, owner }, index) => ({ fd: firstSocketFd + index, bind, owner }))
      this.#child.send({ type: 'handover', sockets: handed, state, ticketKeys } satisfies ToSuccessor, () => undefined)
    } else if (message.type === 'said') this.#said = `${this.#said}${message.text}`.slice(-mostText)
    else if (message.type === 'ready') settle(null)
    else {
      this.#hasGivenUp = true
      settle(message.message)
    }
  }

  /** Ends it with all that it has forked. The channel stays open until then: its end would tell it that it is on its own. */
  async undo(): Promise<void> {
    const { pid } = this.#child
    if (pid === undefined) return
    const timer = setTimeout(() => killGroup(pid), this.#hasGivenUp ? lastMomentsMs : 0)
    await this.#gone
    clearTimeout(timer)
    killGroup(pid)
  }

  release(): void {
    this.#child.removeAllListeners('message')
    if (this.#child.connected) this.#child.disconnect()
    this.#child.unref()
  }
}

/** The group has the number of its first process, which was made its leader. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody of it is left.
  }
}

function failure(what: string, lines: string[]): ControlError {
  return new ControlError('failed', [what, ...lines.map((line) => `  ${line}`)].join('\n'))
}

function lastLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-mostLines)
}
