/** bench/load/duplex: both ends of one tunnel, each sending and receiving at once. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { inTime, type Scope } from './wait.ts'

const PROGRAM = fileURLToPath(new URL('../../../build/bench/duplex', import.meta.url))

export interface Direction {
  sent: number
  received: number
  /** Hashes of what was sent and of what arrived. */
  equal: boolean
}

export interface Duplex {
  /** Where its server end listens. */
  readonly port: number
  /** Moves the bytes through what listens on this port. Rejects when a byte is lost or changed. */
  run(via: number, within: number): Promise<{ seconds: number; up: Direction; down: Direction }>
}

/** Starts the program; it serves one run of `bytes` each way. */
export async function duplex(scope: Scope, bytes: number): Promise<Duplex> {
  const child = spawn(PROGRAM, ['--bytes', String(bytes)], { stdio: ['pipe', 'pipe', 'inherit'] })
  scope.after(() => void child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })
  const [first] = (await inTime(once(lines, 'line'), { what: 'the port of duplex' })) as [string]
  return {
    port: Number(first.replace('listening ', '')),
    async run(via, within) {
      child.stdin.write(`${via}\n`)
      const ended = once(child, 'exit')
      const [result] = (await inTime(Promise.race([once(lines, 'line'), ended]), { within, what: 'both directions of duplex' })) as [
        unknown,
      ]
      if (typeof result !== 'string') throw new Error(`duplex ended with ${String(result)}`)
      await ended
      return JSON.parse(result)
    },
  }
}
