/** Servers in processes of their own: they can be killed, stopped in the middle and started again on the same port. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { inTime, type Scope } from './wait.ts'

/** See `server-program.ts`; `full` accepts hardly any connection once it is frozen, `tcp` speaks no HTTP. */
export type ServerKind = 'ok' | 'half-length' | 'half-chunked' | 'bulk' | 'full' | 'tcp'

export interface ServerProcess {
  readonly address: string
  readonly port: number
  readonly pid: number
  /** Ends it at once, as a crash would, and waits until it is gone. */
  kill(): Promise<void>
  /** Stops it without closing anything: the kernel goes on accepting for it. */
  freeze(): void
  thaw(): void
  /** Starts it again on the same port. */
  restart(): Promise<void>
  /** Requests by method since its last start. */
  counts(): Promise<Record<string, number>>
}

const PROGRAM = fileURLToPath(new URL('./server-program.ts', import.meta.url))
const START_MS = 15_000

/** Starts one on a free port of 127.0.0.1; it ends with the scope. */
export async function startServerProcess(scope: Scope, kind: ServerKind = 'ok'): Promise<ServerProcess> {
  let { child, port } = await launch(kind, 0)
  scope.after(() => void child.kill('SIGKILL'))
  return {
    address: `127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid as number
    },
    async kill() {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await inTime(gone, { what: 'the end of a killed server' })
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async restart() {
      ;({ child, port } = await launch(kind, port))
    },
    async counts() {
      const answer = once(child, 'message')
      child.send('counts')
      const [{ counts }] = (await inTime(answer)) as [{ counts: Record<string, number> }]
      return counts
    },
  }
}

async function launch(kind: ServerKind, port: number): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(PROGRAM, [kind, String(port)], { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const [message] = (await inTime(once(child, 'message'), { within: START_MS, what: 'the start of a server process' })) as [
    { port: number },
  ]
  return { child, port: message.port }
}
