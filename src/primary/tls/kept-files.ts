/** What was read from files, and is read again when they change. */
import { statSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'

/** Something that is made of files. `read` throws an Error with one sentence that names the file. */
export interface FileValue<T = unknown> {
  /** Equal ones are read once. */
  key: string
  files: readonly string[]
  read(): T
  /** What two values are compared by, to tell whether something changed. */
  digest(value: T): unknown
  /** Why `after` must not take the place of `before`; null: it may. */
  isWorse?(before: T, after: T): string | null
}

interface Kept {
  of: FileValue
  value: unknown
  signature: string
  /** Why the files could not be read when they were last looked at, and since when. */
  fault: { message: string; sinceMs: number; isTold: boolean } | null
}

/** A pair of files is written one after the other: what does not fit yet may fit in a moment. */
const PATIENCE_MS = 400

export interface LookEvents {
  changed(keys: readonly string[]): void
  /** Files are bad; what was read before stays in force. */
  refused(message: string): void
  /** Look again after so long. */
  again(ms: number): void
}

export class KeptFiles {
  #kept = new Map<string, Kept>()

  /** Reads what is wanted, whatever was read before: a change of the config brings what the files say then. Throws what `read` throws. */
  prepare(wanted: readonly FileValue[]): Map<string, Kept> {
    const prepared = new Map<string, Kept>()
    for (const of of wanted) if (!prepared.has(of.key)) prepared.set(of.key, this.#reusable(of) ?? fresh(of))
    return prepared
  }

  commit(prepared: Map<string, Kept>): void {
    this.#kept = prepared
  }

  get files(): string[] {
    return [...new Set([...this.#kept.values()].flatMap(({ of }) => of.files))]
  }

  /** Reads again what changed on disk. Never throws. */
  look(nowMs: number, { changed, refused, again }: LookEvents): void {
    const keys: string[] = []
    for (const kept of this.#kept.values()) {
      const signature = signatureOf(kept.of.files)
      if (signature === kept.signature && (kept.fault === null || kept.fault.isTold)) continue
      kept.signature = signature
      const outcome = this.#readAgain(kept)
      if (outcome === null || outcome === 'same') kept.fault = null
      if (outcome === null) keys.push(kept.of.key)
      if (outcome === null || outcome === 'same') continue
      this.#fail(kept, outcome.message, nowMs, { refused, again })
    }
    if (keys.length > 0) changed(keys)
  }

  #readAgain(kept: Kept): null | 'same' | { message: string } {
    try {
      const value = kept.of.read()
      if (isDeepStrictEqual(kept.of.digest(value), kept.of.digest(kept.value))) return 'same'
      const worse = kept.of.isWorse?.(kept.value, value) ?? null
      if (worse !== null) return { message: worse }
      kept.value = value
      return null
    } catch (error) {
      return { message: (error as Error).message }
    }
  }

  #fail(kept: Kept, message: string, nowMs: number, { refused, again }: Pick<LookEvents, 'refused' | 'again'>): void {
    const isSame = kept.fault?.message === message
    if (!isSame) kept.fault = { message, sinceMs: nowMs, isTold: false }
    const fault = kept.fault as NonNullable<Kept['fault']>
    if (nowMs - fault.sinceMs < PATIENCE_MS) again(PATIENCE_MS)
    else if (!fault.isTold) {
      fault.isTold = true
      refused(message)
    }
  }

  #reusable(of: FileValue): Kept | null {
    const known = this.#kept.get(of.key)
    if (known === undefined || known.fault !== null || known.signature !== signatureOf(of.files)) return null
    return { ...known, of }
  }
}

export type PreparedFiles = ReturnType<KeptFiles['prepare']>

function fresh(of: FileValue): Kept {
  // Before it is read: what changes meanwhile is seen at the next look.
  const signature = signatureOf(of.files)
  return { of, value: of.read(), signature, fault: null }
}

/** Whatever of a file changes with its content, wherever its links lead to. */
function signatureOf(files: readonly string[]): string {
  return files
    .map((file) => {
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true })
        return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
      } catch (error) {
        return String((error as NodeJS.ErrnoException).code)
      }
    })
    .join('\n')
}
