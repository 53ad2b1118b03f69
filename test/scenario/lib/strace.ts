/** strace on a running process: how many bytes went which way. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inTime, type Scope, until } from './wait.ts'

/** Why strace cannot be used here, or false. */
export function noStrace(): string | false {
  const tried = spawnSync('strace', ['-e', 'trace=none', 'true'], { encoding: 'utf8' })
  if (tried.error) return 'strace is not installed'
  return tried.status === 0 ? false : 'this environment does not let processes be traced'
}

export interface Traced {
  spliced: number
  received: number
  sent: number
}

/** Starts to follow a process; the function that it returns ends that and says how many bytes its calls moved. */
export async function trace(scope: Scope, pid: number): Promise<() => Promise<Traced>> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-strace-'))
  const file = join(folder, 'calls')
  const child = spawn(
    'strace',
    ['-f', '-e', 'trace=splice,recvfrom,recvmsg,read,readv,sendto,sendmsg,write,writev', '-o', file, '-p', String(pid)],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let said = ''
  child.stderr.on('data', (bytes) => {
    said += String(bytes)
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  scope.after(async () => {
    child.kill('SIGINT')
    rmSync(folder, { recursive: true, force: true })
  })
  await until(() => said.includes('attached'), { what: 'strace is attached' })
  return async () => {
    child.kill('SIGINT')
    await inTime(ended, { what: 'the end of strace' })
    return sumOf(readFileSync(file, 'latin1'))
  }
}

function sumOf(text: string): Traced {
  const sums: Traced = { spliced: 0, received: 0, sent: 0 }
  for (const [, call, , result] of text.matchAll(/(\w+)(\(| resumed>).* = (\d+)$/gm)) {
    const bytes = Number(result)
    // Each byte is spliced twice, into a pipe and out of it.
    if (call === 'splice') sums.spliced += bytes / 2
    else if (call?.startsWith('re')) sums.received += bytes
    else sums.sent += bytes
  }
  return sums
}
