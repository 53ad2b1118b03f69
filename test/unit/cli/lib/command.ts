/** Runs a command line in this process, on a terminal of the test's own. */
import { runCommandLine } from '../../../../src/cli/cli.ts'
import type { Terminal } from '../../../../src/cli/terminal.ts'

export interface Outcome {
  /** Null while nothing has set it. */
  code: number | null
  out: string
  err: string
}

export interface Place extends Partial<Pick<Terminal, 'outWidth' | 'errWidth' | 'hasColour' | 'env' | 'cwd' | 'uid'>> {
  /** Runs after everything that is written to standard error; `interrupt` is Ctrl-C. */
  onErr?(text: string, interrupt: () => void): void
}

/** The terminal of a test, and what was done on it so far. */
export function testTerminal(place: Place = {}): { terminal: Terminal; outcome: Outcome; interrupt(): void } {
  const { onErr, ...others } = place
  const outcome: Outcome = { code: null, out: '', err: '' }
  const listeners = new Set<() => void>()
  const interrupt = () => {
    for (const listener of listeners) listener()
  }
  const terminal: Terminal = {
    out: (text) => {
      outcome.out += text
    },
    err: (text) => {
      outcome.err += text
      onErr?.(text, interrupt)
    },
    outWidth: null,
    errWidth: null,
    hasColour: false,
    env: {},
    cwd: '/',
    uid: 1000,
    setExit: (code) => {
      outcome.code = code
    },
    onInterrupt: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    ...others,
  }
  return { terminal, outcome, interrupt }
}

/** `weir` with these words. */
export async function weir(words: string[], place: Place = {}): Promise<Outcome> {
  const { terminal, outcome } = testTerminal(place)
  await runCommandLine(['node', 'weir', ...words], terminal)
  return outcome
}

/** The same for a running weir at this socket. */
export function weirAt({ path }: { path: string }, words: string[], place: Place = {}): Promise<Outcome> {
  return weir([...words, '--socket', path], place)
}
