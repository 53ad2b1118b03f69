/** Programs that the guard runs to their end. They end with it: `cleanUpAtExit` of bench/lib/processes.ts is the caller's duty. */
import { once } from 'node:events'
import { collect, start, stop } from '../lib/processes.ts'

export interface Ran {
  /** null: a signal ended it. */
  code: number | null
  stdout: string
  stderr: string
}

/** Rejects when it cannot be started, or has not ended in time. */
export async function run(command: string[], limitMs = 120_000): Promise<Ran> {
  const [program = '', ...words] = command
  const child = start(null, program, words)
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  let isLate = false
  const limit = setTimeout(() => {
    isLate = true
    void stop(child)
  }, limitMs)
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    if (isLate) throw new Error(`${command.join(' ')} has not ended within ${limitMs / 1000} s`)
    return { code, stdout: stdout.text, stderr: stderr.text }
  } finally {
    clearTimeout(limit)
  }
}

/** The same for one that must succeed: rejects with the end of what it said. */
export async function mustRun(command: string[], limitMs?: number): Promise<string> {
  const { code, stdout, stderr } = await run(command, limitMs)
  if (code !== 0)
    throw new Error(`${command.join(' ')}: exit code ${code}: ${`${stdout}\n${stderr}`.trim().split('\n').slice(-15).join('\n')}`)
  return stdout
}

/** Does all of it, so many at a time. */
export async function inParallel<T>(most: number, all: T[], work: (one: T) => Promise<void>): Promise<void> {
  const queue = all.values()
  await Promise.all(
    Array.from({ length: most }, async () => {
      for (const one of queue) await work(one)
    }),
  )
}
