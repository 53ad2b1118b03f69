/** Makes spans of records that have a trace, and sends them to a collector by OTLP over HTTP. Loaded only where traces are on. */
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import type { RecordFormat, RecordReader } from '../../../native/contract.ts'
import { parseRecord } from '../../../shared/records/record-line.ts'
import type { TraceSettings } from '../messages.ts'
import type { Job } from './job.ts'
import { linesOf } from './lines.ts'
import { SpanQueue } from './span-queue.ts'
import { spanOf } from './trace-span.ts'

const ROOM = 128 * 1024
/** Of one batch, with what the exporter tries again by itself. */
const EXPORT_MS = 10_000
/** Of all that waits when traces are switched off, or the process ends. */
const FLUSH_MS = 1_000
const COMPLAIN_MS = 60_000
const TAKEN = 0

export interface TraceOptions {
  settings: TraceSettings
  reader: RecordReader
  format: RecordFormat
  say(line: string): void
  /** How long one batch may take; 10 s when not given. */
  exportMs?: number
}

export class TraceJob implements Job {
  readonly #reader: RecordReader
  readonly #resource: Resource
  readonly #exporter: OTLPTraceExporter
  readonly #queue: SpanQueue<ReadableSpan>
  readonly #cursor: number
  readonly #bytes = Buffer.allocUnsafe(ROOM)
  #complainedMs = Number.NEGATIVE_INFINITY

  constructor({ settings, reader, format, say, exportMs = EXPORT_MS }: TraceOptions) {
    const { url, headers, serviceName, serviceVersion } = settings
    this.#reader = reader
    this.#resource = resourceFromAttributes({ 'service.name': serviceName, 'service.version': serviceVersion })
    this.#exporter = new OTLPTraceExporter({ url, headers, timeoutMillis: exportMs, concurrencyLimit: 1 })
    this.#queue = new SpanQueue<ReadableSpan>({
      send: (spans, done) => this.#exporter.export(spans, ({ code }) => done(code === TAKEN)),
      failed: () => this.#complain(say, url),
    })
    this.#cursor = reader.open(traced(format), false)
  }

  get counts(): { spansSent: number; spansLost: number } {
    return { spansSent: this.#queue.sent, spansLost: this.#queue.lost + this.#reader.counts(this.#cursor).lost }
  }

  reformat(format: RecordFormat): void {
    this.#reader.reformat(this.#cursor, traced(format))
  }

  turn(): 'nothing' | 'some' | 'more' {
    const filled = this.#reader.read(this.#cursor, this.#bytes)
    for (const line of linesOf(this.#bytes, filled)) {
      const record = parseRecord(line)
      const span = record === null ? null : spanOf(record, this.#resource)
      if (span !== null) this.#queue.add(span)
    }
    if (filled === 0) return 'nothing'
    return filled > ROOM / 2 ? 'more' : 'some'
  }

  /** Sends what is there, for a bounded time. */
  async end(): Promise<void> {
    for (let reads = 0; reads < 100 && this.turn() !== 'nothing'; reads++);
    await this.#queue.flush(FLUSH_MS)
  }

  close(): void {
    this.#reader.close(this.#cursor)
    void this.#exporter.shutdown().catch(() => undefined)
  }

  #complain(say: (line: string) => void, url: string): void {
    const now = performance.now()
    if (now - this.#complainedMs < COMPLAIN_MS) return
    this.#complainedMs = now
    say(`tracing: the collector at ${url} does not take spans; ${this.#queue.lost} are lost so far`)
  }
}

function traced(format: RecordFormat): RecordFormat {
  return { ...format, share: 1, onlyTraced: true }
}
