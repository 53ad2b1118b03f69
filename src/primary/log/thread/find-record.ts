/** Looks for a request id in all that is still in the rings of the workers. */
import type { RecordFormat, RecordReader } from '../../../native/contract.ts'
import { endedAtMs, parseRecord, type RecordLine } from '../../../shared/records/record-line.ts'

const ROOM = 512 * 1024
const NEWLINE = 10

export interface InRings {
  /** Oldest first. */
  records: RecordLine[]
  /** When the oldest of all records ended; null: there is none. */
  oldestMs: number | null
}

/** Between two buffers others have their turn. */
export async function findInRings(reader: RecordReader, format: RecordFormat, requestId: string): Promise<InRings> {
  const bytes = Buffer.allocUnsafe(ROOM)
  // Quotes round it: a part of another id is none.
  const wanted = Buffer.from(JSON.stringify(requestId))
  const cursor = reader.open(format, true)
  const found: InRings = { records: [], oldestMs: null }
  try {
    for (let end = reader.read(cursor, bytes); end > 0; end = reader.read(cursor, bytes)) {
      noteOldest(found, bytes.subarray(0, end))
      collect(found.records, bytes.subarray(0, end), { wanted, requestId })
      await new Promise(setImmediate)
    }
  } finally {
    reader.close(cursor)
  }
  found.records.sort((one, other) => endedAtMs(one) - endedAtMs(other))
  return found
}

/** The rings of several workers come one after the other, each with its oldest record first. */
function noteOldest(found: InRings, bytes: Buffer): void {
  const first = parseRecord(bytes.toString('utf8', 0, bytes.indexOf(NEWLINE)))
  const atMs = first === null ? Number.NaN : endedAtMs(first)
  if (!(atMs >= (found.oldestMs ?? Number.POSITIVE_INFINITY)) && !Number.isNaN(atMs)) found.oldestMs = atMs
}

function collect(records: RecordLine[], bytes: Buffer, { wanted, requestId }: { wanted: Buffer; requestId: string }): void {
  for (let at = bytes.indexOf(wanted); at !== -1; at = bytes.indexOf(wanted, at + wanted.length)) {
    const begin = bytes.lastIndexOf(NEWLINE, at) + 1
    const record = parseRecord(bytes.toString('utf8', begin, bytes.indexOf(NEWLINE, at)))
    if (record?.requestId === requestId) records.push(record)
  }
}
