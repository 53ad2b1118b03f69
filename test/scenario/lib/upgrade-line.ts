/** A balancer and those that replace it by `weir upgrade`. */
import { createConnection } from 'node:net'
import { join } from 'node:path'
import type { Balancer } from './balancer.ts'
import { data } from './command.ts'
import { childrenOf, isRunning } from './processes.ts'
import { type Scope, until } from './wait.ts'

export interface UpgradeLine {
  /** Every primary that there was. */
  readonly pids: number[]
  /** The latest of them. */
  readonly pid: number
  /** Settles when the new one serves and answers commands; its pid. */
  upgrade(): Promise<number>
}

/** All of them, with the workers of each, end with the scope. The balancer is started with `losesProcesses`. */
export function upgradeLine(scope: Scope, weir: Balancer): UpgradeLine {
  const pids = [weir.pid]
  scope.after(() => endAll(pids))
  return {
    pids,
    get pid() {
      return pids.at(-1) as number
    },
    async upgrade() {
      const { pid } = await data<{ pid: number }>(weir, 'upgrade')
      pids.push(pid)
      const answers = async () => (await pidThatAnswers(join(weir.folder, 'weir.sock'))) === pid
      await until(answers, { within: 20_000, what: `${pid} answers` })
      return pid
    },
  }
}

async function endAll(pids: readonly number[]): Promise<void> {
  const family = pids.flatMap((pid) => (isRunning(pid) ? [pid, ...childrenOf(pid)] : []))
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const pid of family) if (isRunning(pid) && (signal === 'SIGKILL' || pids.includes(pid))) kill(pid, signal)
    await until(() => !family.some(isRunning), { within: 8_000 }).catch(() => undefined)
  }
}

/** Which process answers commands. */
async function pidThatAnswers(path: string): Promise<number> {
  const socket = createConnection(path)
  let text = ''
  socket.setEncoding('utf8').end('{"verb":"status"}\n')
  for await (const part of socket) text += part
  return (JSON.parse(text) as { data: { pid: number } }).data.pid
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended between the look and the signal.
  }
}
