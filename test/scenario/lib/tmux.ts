/** A terminal that a test can press keys on and look at: a tmux server of its own. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Scope, until } from './wait.ts'

const run = promisify(execFile)

export interface TmuxTerminal {
  /** What it shows now, line by line. */
  screen(): Promise<string>
  /** Keys by their names in tmux: `d`, `Enter`, `Down`, `C-c`. */
  press(...keys: string[]): Promise<void>
  /** Waits until the screen fits, and answers it. */
  shows(pattern: RegExp, within?: number): Promise<string>
  resize(columns: number, rows: number): Promise<void>
  /** Whether a program has it for itself, and whether the cursor shows. */
  state(): Promise<{ isAlternate: boolean; hasCursor: boolean }>
}

export interface TmuxOptions {
  tmux: string
  cwd: string
  env: Record<string, string>
  columns?: number
  rows?: number
}

/** A shell without a prompt, in a terminal of this size. It ends with the scope. */
export async function startTerminal(scope: Scope, { tmux, cwd, env, columns = 120, rows = 30 }: TmuxOptions): Promise<TmuxTerminal> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-tmux-'))
  const ask = async (...args: string[]) => (await run(tmux, ['-S', join(folder, 'tmux'), '-f', '/dev/null', ...args])).stdout
  scope.after(async () => {
    await ask('kill-server').catch(() => undefined)
    rmSync(folder, { recursive: true, force: true })
  })
  const settings = Object.entries({ PS1: '$ ', LC_ALL: 'C.UTF-8', ...env }).map(([name, value]) => `${name}=${value}`)
  await ask('new-session', '-d', '-x', String(columns), '-y', String(rows), '-c', cwd, 'env', '-u', 'NO_COLOR', ...settings, 'sh')
  const screen = () => ask('capture-pane', '-p')
  return {
    screen,
    press: async (...keys) => void (await ask('send-keys', ...keys)),
    async shows(pattern, within = 10_000) {
      let last = ''
      await until(
        async () => {
          last = await screen()
          return pattern.test(last)
        },
        { within, what: `the terminal shows ${pattern}` },
      ).catch((cause: Error) => {
        throw new Error(`${cause.message}; it shows\n${last}`, { cause })
      })
      return last
    },
    resize: async (x, y) => void (await ask('resize-window', '-x', String(x), '-y', String(y))),
    async state() {
      const [alternate, cursor] = (await ask('display-message', '-p', '#{alternate_on} #{cursor_flag}')).trim().split(' ')
      return { isAlternate: alternate === '1', hasCursor: cursor === '1' }
    },
  }
}
