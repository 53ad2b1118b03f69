import type { AccessLogConfig } from '../../shared/config/model.ts'
import type { OpenSink, Owner } from './sink-file.ts'
import { closeSink, openSink } from './sink-file.ts'

/** The places that the access log is written to, now and when a new config is in force. Descriptors that the thread has are its own. */
export class Sinks {
  readonly #owner: Owner | null
  #to: string | null = null
  #current: OpenSink | null = null
  #next: { to: string | null; sink: OpenSink | null } | null = null
  /** The thread was given these and has not closed them. */
  readonly #given = new Map<number, OpenSink>()

  constructor(owner: Owner | null) {
    this.#owner = owner
  }

  get current(): OpenSink | null {
    return this.#current
  }

  /** Opens where a config wants it. Throws an Error, a sentence, and all is as before. */
  prepare(access: AccessLogConfig | null): void {
    const to = access?.to ?? null
    this.#next = { to, sink: to === null || to === this.#to ? this.#sinkOf(to) : openSink(to, this.#owner) }
  }

  commit(): void {
    if (this.#next === null) return
    const { to, sink } = this.#next
    this.#to = to
    this.#current = sink
    this.#next = null
  }

  rollback(): void {
    const sink = this.#next?.sink ?? null
    if (sink !== null && sink !== this.#current) closeSink(sink)
    this.#next = null
  }

  /** The file anew, by its name: somebody has moved the other one away. False where there is nothing to reopen. Throws as `prepare`. */
  reopen(): boolean {
    if (this.#to === null || this.#to === 'stdout') return false
    const before = this.#current
    this.#current = openSink(this.#to, this.#owner)
    if (before !== null && !this.#given.has(before.id)) closeQuietly(before)
    return true
  }

  /** The thread has it from now on. */
  give(): OpenSink | null {
    if (this.#current !== null) this.#given.set(this.#current.id, this.#current)
    return this.#current
  }

  released(id: number): void {
    this.#given.delete(id)
  }

  /** The thread died: what it had is closed, and where it is written to is opened anew. Throws as `prepare`. */
  recover(): void {
    for (const sink of this.#given.values()) closeQuietly(sink)
    this.#given.clear()
    this.#current = null
    if (this.#to !== null) this.#current = openSink(this.#to, this.#owner)
  }

  close(): void {
    this.rollback()
    if (this.#current !== null && !this.#given.has(this.#current.id)) closeQuietly(this.#current)
    this.#current = null
  }

  #sinkOf(to: string | null): OpenSink | null {
    return to === null ? null : this.#current
  }
}

function closeQuietly(sink: OpenSink): void {
  try {
    closeSink(sink)
  } catch {
    // It was closed in the thread's last moment.
  }
}
