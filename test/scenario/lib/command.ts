/** Runs commands of weir against a running balancer, as an operator does. */
import { spawn } from 'node:child_process'
import { type Balancer, MAIN, NODE } from './balancer.ts'

export interface CommandEnd {
  code: number | null
  stdout: string
  stderr: string
}

/** `weir ARGS`, to its end. It finds the balancer's control socket by itself. */
export function command(weir: Pick<Balancer, 'folder'>, ...args: string[]): Promise<CommandEnd> {
  const child = spawn(NODE, [MAIN, ...args], {
    cwd: weir.folder,
    env: { ...process.env, XDG_RUNTIME_DIR: weir.folder, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** The same with `--json`: the data of the envelope, or an error with what it printed instead. */
export async function data<T = Record<string, unknown>>(weir: Pick<Balancer, 'folder'>, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await command(weir, ...args, '--json')
  if (code !== 0) throw new Error(`weir ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`)
  return (JSON.parse(stdout) as { data: T }).data
}
