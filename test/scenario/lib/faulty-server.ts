/** Servers in processes of their own that die, hang, refuse, reset or dawdle on command, and recover. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Order } from './faulty-server-program.ts'
import { inTime, type Scope } from './wait.ts'

export interface FaultyServer {
  readonly address: string
  /** Ends it at once, as a crash would, and waits until it is gone. */
  kill(): Promise<void>
  /** Starts a process that only has to open the port for `revive`, so that a server comes back when a test wants it. */
  prepare(): Promise<void>
  /** Starts it again on the same port. */
  revive(): Promise<void>
  /** Stops it without closing anything: the kernel goes on accepting for it. */
  freeze(): void
  thaw(): void
  /** Refuses new connections, and goes on with those it has. */
  closeListener(): Promise<void>
  openListener(): Promise<void>
  /** Resets all connections it has, and every new one when it is accepted or once its first request was read. */
  reset(on: 'accept' | 'request'): Promise<void>
  /** Each answer takes this long. */
  slowDown(ms: number): Promise<void>
  /** Ends `reset` and `slowDown`. */
  behave(): Promise<void>
}

export interface FaultyServerOptions {
  host?: string
  /** What the command line begins with, such as the entry into a network namespace. */
  prefix?: string[]
}

const PROGRAM = fileURLToPath(new URL('./faulty-server-program.ts', import.meta.url))
const START_MS = 15_000

/** Starts one on a free port; it ends with the scope. */
export async function startFaultyServer(
  scope: Scope,
  { host = '127.0.0.1', prefix = [] }: FaultyServerOptions = {},
): Promise<FaultyServer> {
  const begin = () => launch(scope, [...prefix, process.execPath, '--import', 'tsx', PROGRAM, host])
  let child = await begin()
  let spare: ChildProcess | undefined
  const port = await tell(child, { do: 'listen', port: 0 })
  const order = async (what: Order) => void (await tell(child, what))
  return {
    address: `${host}:${port}`,
    async kill() {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await inTime(gone, { what: 'the end of a killed server' })
    },
    async prepare() {
      spare = await begin()
    },
    async revive() {
      child = spare ?? (await begin())
      spare = undefined
      await order({ do: 'listen', port })
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    closeListener: () => order({ do: 'close-listener' }),
    openListener: () => order({ do: 'listen', port }),
    reset: (on) => order({ do: 'reset', on }),
    slowDown: (ms) => order({ do: 'delay', ms }),
    behave: () => order({ do: 'behave' }),
  }
}

/** Answers when it waits for its first order. */
async function launch(scope: Scope, [command = '', ...args]: string[]): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  scope.after(() => void child.kill('SIGKILL'))
  await inTime(once(child, 'message'), { within: START_MS, what: 'the start of a server process' })
  return child
}

async function tell(child: ChildProcess, order: Order): Promise<number> {
  const answer = once(child, 'message')
  child.send(order)
  const [{ port }] = (await inTime(answer, { what: `the answer to ${order.do}` })) as [{ port: number }]
  return port
}
