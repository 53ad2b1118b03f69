/** What an expression can ask of a record. */
import { type RecordLine, serverOf } from './record-line.ts'

/** How values of a field are written and compared. Durations are in microseconds, sizes in bytes. */
export type FieldKind = 'number' | 'duration' | 'size' | 'text' | 'flag'

export interface Field {
  kind: FieldKind
  /** All that it says: a text, or several of which one has to fit. */
  of(record: RecordLine): number | boolean | string | readonly string[] | undefined
}

type Key = Exclude<keyof RecordLine, 'failedAttempts' | 'headers'>

const plain = (kind: FieldKind, key: Key): Field => ({ kind, of: (record) => record[key] })

const kinds: Record<Key, FieldKind> = {
  ...{ time: 'text', kind: 'text', worker: 'number', requestId: 'text', client: 'text', peer: 'text', listener: 'text' },
  ...{ method: 'text', host: 'text', path: 'text', query: 'text', protocol: 'text', status: 'number', termination: 'text' },
  ...{ route: 'text', upstream: 'text', server: 'text', attempts: 'number', isReused: 'flag', isHedged: 'flag' },
  ...{ bytesIn: 'size', bytesOut: 'size', queueUs: 'duration', connectUs: 'duration', firstByteUs: 'duration' },
  ...{ totalUs: 'duration', overheadUs: 'duration', referer: 'text', userAgent: 'text', traceparent: 'text' },
}

const fields = new Map<string, Field>([
  ...(Object.entries(kinds) as [Key, FieldKind][]).map(([key, kind]) => [key, plain(kind, key)] as const),
  // Phases without their unit: `total>200ms`.
  ...(['queue', 'connect', 'firstByte', 'total', 'overhead'] as const).map((phase) => [phase, plain('duration', `${phase}Us`)] as const),
  ['id', plain('text', 'requestId')],
  ['server', { kind: 'text', of: (record) => [record.server ?? '', serverOf(record)] }],
  ['url', { kind: 'text', of: ({ path = '', query }) => (query === undefined ? path : `${path}?${query}`) }],
  ['failedAttempts', { kind: 'number', of: (record) => record.failedAttempts?.length ?? 0 }],
  ['reason', { kind: 'text', of: (record) => record.failedAttempts?.map(({ reason }) => reason) ?? [] }],
])

/** Names of all fields, for messages. */
export const fieldNames: readonly string[] = [...fields.keys(), 'header.NAME']

/** A field by its name; `header.NAME` is one that the access log captures. */
export function fieldOf(name: string): Field | null {
  const header = /^header\.([\w-]+)$/.exec(name)?.[1]?.toLowerCase()
  if (header !== undefined) return { kind: 'text', of: (record) => record.headers?.[header] }
  return fields.get(name) ?? null
}
