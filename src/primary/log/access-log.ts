/**
 * The primary's side of everything that is made of records: access log, live streams, searches, traces. It opens files and starts the
 * thread; the thread does the rest.
 */
import type { Config } from '../../shared/config/model.ts'
import { accessFormat, wholeFormat } from '../../shared/records/record-format.ts'
import type { RecordLine } from '../../shared/records/record-line.ts'
import type { LogThreadData } from './log-thread.ts'
import { LogThreadLink, type StartThread } from './log-thread-link.ts'
import type { Found, FromLogThread, LogSettings, RowName } from './messages.ts'
import { RowNames } from './row-names.ts'
import type { Owner } from './sink-file.ts'
import { Sinks } from './sinks.ts'
import { traceSettings } from './trace-settings.ts'

/** Since the primary began. */
export interface LogCounts {
  /** Lines of the access log. */
  written: number
  bytes: number
  /** Records that the access log does not have: the place it goes to was too slow, or broken. */
  lost: number
  /** Writes that failed. */
  errors: number
  /** Spans that the collector has taken, and those that it has not. */
  spansSent: number
  spansLost: number
}

export interface AccessLogOptions {
  data: LogThreadData
  config: Config
  /** Whose its files are to be; null: those of who runs this process. */
  owner: Owner | null
  /** What rows of the board are called now. */
  names(): RowName[]
  log(line: string): void
  start?: StartThread
}

export interface TailEvents {
  /** `lost`: see FromLogThread. */
  records(records: RecordLine[], lost: number): void
  failed(reason: string): void
}

export interface LiveTail {
  /** The next batch may come. */
  more(): void
  close(): void
}

/** Streams at once: each has a cursor of its own, of which there are 16. */
const MOST_TAILS = 8
/** Who only keeps records may begin after everything else. */
const LATER_MS = 1_000
/** How long what is left is written for when the process ends. */
const CLOSE_MS = 2_000

export class AccessLog {
  readonly #options: AccessLogOptions
  readonly #link: LogThreadLink
  readonly #names = new RowNames()
  readonly #sinks: Sinks
  readonly #tails = new Map<number, TailEvents>()
  readonly #searches = new Map<number, { resolve(found: Found): void; reject(error: Error): void }>()
  #config: Config
  #next: Config | null = null
  #lastId = 0
  /** Of threads that died, and of the one that runs. */
  #past: LogCounts = noCounts()
  #counts: LogCounts = noCounts()
  #isFirstThread = true
  #wasOnAtStart: boolean
  #closed: (() => void) | undefined

  /** Throws an Error when the access log cannot be opened. */
  constructor(options: AccessLogOptions) {
    this.#options = options
    this.#config = options.config
    this.#wasOnAtStart = options.config.log.access !== null
    this.#sinks = new Sinks(options.owner)
    this.#sinks.prepare(options.config.log.access)
    this.#sinks.commit()
    this.#link = new LogThreadLink({
      data: options.data,
      started: () => this.#tellAll(),
      heard: (message) => this.#hear(message),
      died: () => this.#recover(),
      log: options.log,
      ...(options.start === undefined ? {} : { start: options.start }),
    })
  }

  /** Workers serve, or soon will. */
  start(): void {
    const { log, tracing } = this.#config
    if (log.access !== null || tracing !== null) this.#link.need()
    else if (this.#keeps()) setTimeout(() => this.#link.need(), LATER_MS).unref()
  }

  /** So that this config can come into force. Throws an Error, a sentence; then nothing has changed. */
  prepare(config: Config): void {
    this.#sinks.prepare(config.log.access)
    this.#next = config
  }

  commit(): void {
    if (this.#next === null) return
    this.#config = this.#next
    this.#next = null
    this.#sinks.commit()
    if (this.#config.log.access === null) this.#wasOnAtStart = false
    this.namesChanged()
    this.#tellSettings()
    if (this.#config.log.access !== null || this.#config.tracing !== null) this.#link.need()
  }

  rollback(): void {
    this.#next = null
    this.#sinks.rollback()
  }

  /** Servers, routes or listeners have other rows. */
  namesChanged(): void {
    const names = this.#names.changes(this.#options.names())
    if (names.length > 0) this.#link.post({ type: 'names', names })
  }

  /** Opens the file anew, as after it was renamed. Answers what people should read. */
  reopen(): string {
    try {
      if (!this.#sinks.reopen()) return 'there is no log file to reopen'
    } catch (error) {
      return `${(error as Error).message}: it goes on in the file that is open`
    }
    this.#tellSettings()
    return `reopened ${this.#config.log.access?.to}`
  }

  /** A live stream. Throws an Error when there are too many. */
  tail(where: string, events: TailEvents): LiveTail {
    if (this.#tails.size >= MOST_TAILS) throw new Error(`there are ${MOST_TAILS} live streams already: end one of them`)
    this.#link.need()
    const id = ++this.#lastId
    this.#tails.set(id, events)
    this.#link.post({ type: 'tail', id, where })
    return {
      more: () => this.#link.post({ type: 'more', id }),
      close: () => {
        if (this.#tails.delete(id)) this.#link.post({ type: 'endTail', id })
      },
    }
  }

  /** Looks in all records that are still there. Rejects with an Error when the thread ends meanwhile. */
  find(requestId: string): Promise<Found> {
    this.#link.need()
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#searches.set(id, { resolve, reject })
      this.#link.post({ type: 'find', id, requestId })
      if (!this.#link.isRunning) this.#abandon(id)
    })
  }

  counts(): LogCounts {
    return sumOf(this.#past, this.#counts)
  }

  /** Writes what is there, for a bounded time, and ends the thread. */
  async close(): Promise<void> {
    if (this.#link.isRunning) {
      const closed = new Promise<void>((resolve) => {
        this.#closed = resolve
      })
      this.#link.post({ type: 'close' })
      await Promise.race([closed, new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS))])
    }
    this.#link.end()
    this.#sinks.close()
  }

  #keeps(): boolean {
    const { control, admin } = this.#config
    return control.isOn || admin !== null
  }

  #tellAll(): void {
    this.#names.changes(this.#options.names())
    this.#link.post({ type: 'names', names: this.#names.all() })
    this.#tellSettings()
    this.#isFirstThread = false
  }

  #tellSettings(): void {
    if (this.#link.isRunning) this.#link.post({ type: 'settings', settings: this.#settings() })
  }

  #settings(): LogSettings {
    const { log, tracing } = this.#config
    const sink = this.#sinks.give()
    const fromOldest = this.#isFirstThread && this.#wasOnAtStart
    return {
      access: log.access === null || sink === null ? null : { format: accessFormat(log.access, this.#config), sink, fromOldest },
      whole: wholeFormat(this.#config),
      keeps: this.#keeps(),
      trace: traceSettings(tracing),
    }
  }

  #hear(message: FromLogThread): void {
    switch (message.type) {
      case 'counts':
        this.#counts = message.counts
        return
      case 'say':
        this.#options.log(message.line)
        return
      case 'released':
        this.#sinks.released(message.sink)
        return
      case 'records':
        this.#tails.get(message.id)?.records(message.records, message.lost)
        return
      case 'tailFailed':
        this.#tails.get(message.id)?.failed(message.reason)
        return
      case 'found':
        this.#searches.get(message.id)?.resolve(message.found)
        this.#searches.delete(message.id)
        return
      case 'closed':
        this.#closed?.()
        return
    }
  }

  /** The thread is gone, and another one comes. */
  #recover(): void {
    this.#past = sumOf(this.#past, this.#counts)
    this.#counts = noCounts()
    for (const tail of [...this.#tails.values()]) tail.failed('the log thread ended by itself')
    this.#tails.clear()
    for (const id of [...this.#searches.keys()]) this.#abandon(id)
    this.#closed?.()
    try {
      this.#sinks.recover()
    } catch (error) {
      this.#options.log((error as Error).message)
    }
  }

  #abandon(id: number): void {
    this.#searches.get(id)?.reject(new Error('the log thread does not run at this moment: try again'))
    this.#searches.delete(id)
  }
}

export function noCounts(): LogCounts {
  return { written: 0, bytes: 0, lost: 0, errors: 0, spansSent: 0, spansLost: 0 }
}

function sumOf(one: LogCounts, other: LogCounts): LogCounts {
  const sum = { ...one }
  for (const key of Object.keys(sum) as (keyof LogCounts)[]) sum[key] += other[key]
  return sum
}
