/** What commands need of the process: replaced as a whole where a test looks at what they do. */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  /** Bytes of standard output that nobody has read yet. */
  outWaiting?(): number
  /** Columns of standard output; null where it is no terminal. */
  outWidth: number | null
  /** The same of standard error. */
  errWidth: number | null
  hasColour: boolean
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  uid: number
  setExit(code: number): void
  /** The listener runs at the first Ctrl-C or TERM; answers how to be rid of it. */
  onInterrupt(listener: () => void): () => void
}

export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process
  // Whoever reads may have seen enough, as `head` has.
  for (const stream of [stdout, stderr]) stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    outWaiting: () => stdout.writableLength,
    outWidth: stdout.isTTY ? (stdout.columns ?? null) : null,
    errWidth: stderr.isTTY ? (stderr.columns ?? null) : null,
    hasColour: stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
    env,
    cwd: process.cwd(),
    uid: process.getuid?.() ?? 0,
    setExit: (code) => {
      process.exitCode = code
    },
    onInterrupt,
  }
}

function onInterrupt(listener: () => void): () => void {
  let count = 0
  const heard = () => {
    count++
    if (count === 1) listener()
    else process.exit(130)
  }
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.on(signal, heard)
  return () => {
    for (const signal of signals) process.off(signal, heard)
  }
}
