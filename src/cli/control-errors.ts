import type { ControlErrorCode } from '../shared/control/requests.ts'

/** No answer from a running weir: exit code 3. The message says which socket was asked and what to do. */
export class NotReachable extends Error {
  readonly exit = 3
}

/** A running weir says that it did not do what was asked, or the command says so itself. */
export class CommandError extends Error {
  readonly code: ControlErrorCode
  /** Of the command. */
  readonly exit: number
  /** The answer as it came, where it came over the socket. */
  readonly line: string | null

  constructor({ code, message, exit, line = null }: { code: ControlErrorCode; message: string; exit: number; line?: string | null }) {
    super(message)
    this.code = code
    this.exit = exit
    this.line = line
  }
}

/** Ctrl-C, or another signal to end: exit code 130. The message says what was left behind. */
export class Interrupted extends Error {
  readonly exit = 130
}

/** What to say when a connection to a control socket fails. */
export function unreachable(path: string, { code }: NodeJS.ErrnoException): NotReachable {
  return new NotReachable(reasons[code ?? '']?.(path) ?? `cannot reach weir at ${path} (${code ?? 'unknown error'}): ${advice}`)
}

const advice = 'is weir running? Name its socket with --socket PATH, or its config with --config FILE'
const reasons: Record<string, (path: string) => string> = {
  ENOENT: (path) => `no control socket at ${path}: ${advice}`,
  ENOTDIR: (path) => `no control socket at ${path}: ${advice}`,
  ECONNREFUSED: (path) => `nobody answers at ${path}: ${advice}`,
  EACCES: (path) => `not allowed to open ${path}: only the user who runs weir may; run the command as that user`,
  EPERM: (path) => `not allowed to open ${path}: only the user who runs weir may; run the command as that user`,
  EAGAIN: (path) => `weir at ${path} takes no more commands at the moment: try again`,
  EINVAL: (path) => `${path} cannot be a socket: its path may have at most 107 bytes`,
}
