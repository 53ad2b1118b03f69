/** Notices that files may have changed. */
import { type FSWatcher, realpathSync, watch } from 'node:fs'
import { dirname } from 'node:path'

/** Several files are mostly written together. */
const SETTLE_MS = 100
/** Symbolic links further up, network file systems and missed events: nothing tells of those. */
const LOOK_MS = 10_000

/** Watches the folders of files, as files are replaced by others. Calls `look` soon after something happened there, and now and then. */
export class FileWatch {
  readonly #look: () => void
  readonly #watchers = new Map<string, FSWatcher>()
  #timer: NodeJS.Timeout | undefined
  #soon: NodeJS.Timeout | undefined

  constructor(look: () => void) {
    this.#look = look
  }

  start(): void {
    this.#timer ??= setInterval(this.#look, LOOK_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    clearTimeout(this.#soon)
    this.watch([])
  }

  /** Looks after `ms`, unless it does so earlier anyway. */
  soon(ms = SETTLE_MS): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      this.#look()
    }, ms).unref()
  }

  /** These files from now on, and no others. */
  watch(files: readonly string[]): void {
    const folders = new Set(files.flatMap((file) => [dirname(file), ...realFolder(file)]))
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue
      watcher.close()
      this.#watchers.delete(folder)
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#open(folder)
  }

  #open(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.soon())
      // A folder that goes away, or too many watches on this machine: the look every few seconds is left.
      watcher.on('error', () => {
        watcher.close()
        this.#watchers.delete(folder)
      })
      this.#watchers.set(folder, watcher)
    } catch {
      // The same.
    }
  }
}

/** Where a symbolic link leads to. */
function realFolder(file: string): string[] {
  try {
    return [dirname(realpathSync(file))]
  } catch {
    return []
  }
}
