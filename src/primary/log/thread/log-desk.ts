/** What the log thread does with what it is told: one job for each reader of the records. */
import type { RecordReader } from '../../../native/contract.ts'
import { endedAtMs } from '../../../shared/records/record-line.ts'
import type { LogCounts } from '../access-log.ts'
import type { Found, FromLogThread, LogSettings, ToLogThread, TraceSettings } from '../messages.ts'
import { AccessJob } from './access-job.ts'
import { findInRings } from './find-record.ts'
import type { Job } from './job.ts'
import { KeepJob } from './keep-job.ts'
import { KeptRecords } from './kept-records.ts'
import { LogLoop } from './log-loop.ts'
import { TailJob } from './tail-job.ts'
import type { TraceJob, TraceOptions } from './trace-job.ts'

const COUNTS_MS = 250

export interface DeskOptions {
  reader: RecordReader
  post(message: FromLogThread): void
  /** Only where traces are on: it brings a library with it. */
  trace(options: TraceOptions): Promise<TraceJob>
}

export class LogDesk {
  readonly #options: DeskOptions
  readonly #loop: LogLoop
  readonly #kept = new KeptRecords()
  readonly #tails = new Map<number, TailJob>()
  #settings: LogSettings | undefined
  #access: AccessJob | undefined
  /** It has still something to write. */
  #ending: AccessJob | undefined
  #keep: KeepJob | undefined
  #trace: TraceJob | undefined
  /** Settings of traces come into force one after the other, and searches have their turn. */
  #traceTurn: Promise<void> = Promise.resolve()
  #findTurn: Promise<void> = Promise.resolve()
  /** Of logs and traces that are no more. */
  #past = { written: 0, bytes: 0, lost: 0, errors: 0, spansSent: 0, spansLost: 0 }
  #posted = ''
  #postedMs = 0

  constructor(options: DeskOptions) {
    this.#options = options
    this.#loop = new LogLoop({
      jobs: () => this.#jobs(),
      isWatched: () => this.#access !== undefined || this.#tails.size > 0,
      afterRound: () => this.#tellCounts(),
    })
  }

  handle(message: ToLogThread): void {
    switch (message.type) {
      case 'names':
        for (const { kind, row, name } of message.names) this.#options.reader.name(kind, row, name)
        return
      case 'settings':
        this.#obey(message.settings)
        break
      case 'tail':
        this.#openTail(message.id, message.where)
        break
      case 'more':
        this.#tails.get(message.id)?.more()
        break
      case 'endTail':
        this.#tails.get(message.id)?.close()
        this.#tails.delete(message.id)
        return
      case 'find':
        this.#findTurn = this.#findTurn.then(() => this.#find(message.id, message.requestId))
        return
      case 'close':
        void this.#close()
        return
    }
    this.#loop.wake()
  }

  #jobs(): Job[] {
    return [this.#access, this.#trace, this.#keep, ...this.#tails.values()].filter((job) => job !== undefined)
  }

  #obey(settings: LogSettings): void {
    const before = this.#settings
    this.#settings = settings
    this.#obeyAccess(settings)
    const { whole, keeps, trace } = settings
    for (const job of [this.#keep, this.#trace, ...this.#tails.values()]) job?.reformat(whole)
    if (keeps) this.#keep ??= new KeepJob({ reader: this.#options.reader, format: whole, kept: this.#kept, nowMs: Date.now })
    if (JSON.stringify(before?.trace ?? null) !== JSON.stringify(trace))
      this.#traceTurn = this.#traceTurn.then(() => this.#obeyTrace(trace))
  }

  #obeyAccess({ access }: LogSettings): void {
    const { reader, post } = this.#options
    if (access === null) void this.#endAccess()
    else if (this.#access !== undefined) this.#access.change(access.format, access.sink)
    else
      this.#access = new AccessJob({
        reader,
        ...access,
        say: (line) => post({ type: 'say', line }),
        released: (sink) => post({ type: 'released', sink }),
      })
  }

  async #endAccess(): Promise<void> {
    const job = this.#access
    this.#access = undefined
    if (job === undefined) return
    this.#ending = job
    await job.end()
    this.#ending = undefined
    this.#add(job.counts)
    job.close()
  }

  async #obeyTrace(settings: TraceSettings | null): Promise<void> {
    const before = this.#trace
    this.#trace = undefined
    if (before !== undefined) {
      await before.end()
      this.#add(before.counts)
      before.close()
    }
    if (settings === null || this.#settings === undefined) return
    const { reader, post } = this.#options
    const say = (line: string) => post({ type: 'say', line })
    try {
      this.#trace = await this.#options.trace({ settings, reader, format: this.#settings.whole, say })
      // It may have changed while the library was loaded.
      this.#trace.reformat(this.#settings.whole)
    } catch (error) {
      say(`tracing is off: ${(error as Error).message}`)
    }
  }

  #openTail(id: number, where: string): void {
    const { reader, post } = this.#options
    try {
      if (this.#settings === undefined) throw new Error('the log thread has no settings yet')
      const job = new TailJob({
        reader,
        format: this.#settings.whole,
        where,
        send: (records, lost) => post({ type: 'records', id, records, lost }),
        fail: (reason) => post({ type: 'tailFailed', id, reason }),
      })
      this.#tails.set(id, job)
    } catch (error) {
      post({ type: 'tailFailed', id, reason: (error as Error).message })
    }
  }

  async #find(id: number, requestId: string): Promise<void> {
    const { reader, post } = this.#options
    const inRings = this.#settings === undefined ? null : await findInRings(reader, this.#settings.whole, requestId)
    const records = inRings?.records ?? []
    const all = records.length > 0 ? records : this.#kept.find(requestId)
    const oldestMs = inRings?.oldestMs ?? this.#kept.oldestMs
    const found: Found = {
      record: all.at(-1) ?? null,
      count: all.length,
      reachMs: oldestMs === null ? null : Math.max(0, Date.now() - oldestMs),
    }
    if (found.record !== null && Number.isNaN(endedAtMs(found.record))) found.record = null
    post({ type: 'found', id, found })
  }

  #counts(): LogCounts {
    const counts = { ...this.#past }
    for (const part of [this.#access?.counts, this.#ending?.counts, this.#trace?.counts]) addTo(counts, part ?? {})
    return counts
  }

  #add(counts: Partial<LogCounts>): void {
    addTo(this.#past, counts)
  }

  #tellCounts(isLast = false): void {
    const now = performance.now()
    if (!isLast && now - this.#postedMs < COUNTS_MS) return
    this.#postedMs = now
    const counts = this.#counts()
    const text = JSON.stringify(counts)
    if (text === this.#posted) return
    this.#posted = text
    this.#options.post({ type: 'counts', counts })
  }

  async #close(): Promise<void> {
    this.#loop.stop()
    await Promise.all([this.#endAccess(), this.#traceTurn.then(() => this.#obeyTrace(null))])
    this.#tellCounts(true)
    this.#options.post({ type: 'closed' })
  }
}

function addTo(sum: LogCounts, part: Partial<LogCounts>): void {
  for (const key of Object.keys(part) as (keyof LogCounts)[]) sum[key] += part[key] ?? 0
}
