import type { RecordFormat, RecordReader } from '../../../native/contract.ts'
import type { TraceSettings } from '../messages.ts'
import type { Job } from './job.ts'
/** Draft. */
export interface TraceJob extends Job {
  readonly counts: { spansSent: number; spansLost: number }
  reformat(format: RecordFormat): void
  end(): Promise<void>
  close(): void
}
export function openTraceJob(_settings: TraceSettings, _reader: RecordReader): Promise<TraceJob> {
  return Promise.reject(new Error('not there yet'))
}
