import type { ReadStream, WriteStream } from 'node:tty'

/** A terminal that a program has for itself. */
export interface Display {
  size(): { columns: number; rows: number }
  /** Shows these lines instead of the ones before. */
  draw(lines: readonly string[]): void
  /** Gives the terminal back and stops this process until the shell goes on with it. */
  suspend(): void
  /** Gives the terminal back as it was. May be called twice. */
  close(): void
}

export interface DisplayListeners {
  /** What the keys sent. */
  onInput(text: string): void
  /** It has another size, or is ours again after a pause: draw. */
  onChange(): void
}

// The alternate screen leaves what was on the terminal as it was. Lines do not go on at the right edge, whatever their width.
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[H\u001b[2J'
const LEAVE = '\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l'

/** Takes the terminal, which is given back at the end of the process at the latest, however it ends but by KILL. */
export function openDisplay(stdin: ReadStream, stdout: WriteStream, { onInput, onChange }: DisplayListeners): Display {
  let isOurs = false
  const take = () => {
    isOurs = true
    stdin.setRawMode(true)
    stdout.write(ENTER)
  }
  const give = () => {
    if (!isOurs) return
    isOurs = false
    try {
      stdout.write(LEAVE)
      stdin.setRawMode(false)
    } catch {
      // A terminal that is gone takes neither, and there is nothing to restore.
    }
  }
  const resume = () => {
    take()
    onChange()
  }
  const hangUp = () => process.exit(129)
  const input = (bytes: Buffer) => onInput(bytes.toString('utf8'))
  process.on('exit', give).on('SIGCONT', resume).on('SIGHUP', hangUp)
  stdout.on('resize', onChange)
  stdin.on('data', input)
  take()
  stdin.resume()
  return {
    size: () => ({ columns: stdout.columns ?? 80, rows: stdout.rows ?? 24 }),
    draw(lines) {
      // While the shell has the terminal, news stay unseen.
      if (!isOurs) return
      // A line is erased before it is written: behind a full one the cursor still stands on its last character.
      stdout.write(`\u001b[H${lines.map((line) => `\u001b[0m\u001b[K${line}`).join('\r\n')}`)
    },
    suspend() {
      give()
      process.kill(process.pid, 'SIGTSTP')
    },
    close() {
      give()
      process.off('exit', give).off('SIGCONT', resume).off('SIGHUP', hangUp)
      stdout.off('resize', onChange)
      stdin.off('data', input).pause()
    },
  }
}
