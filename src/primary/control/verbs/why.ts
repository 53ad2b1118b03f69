import type { ServerMoment, WhyData } from '../../../shared/control/record-data.ts'
import { ControlError } from '../../../shared/control/requests.ts'
import { endedAtMs } from '../../../shared/records/record-line.ts'
import type { Found } from '../../log/messages.ts'
import type { StateChange } from '../../log/state-journal.ts'
import type { Operation } from '../operation.ts'
import { printable } from '../printable.ts'
import type { Verb } from '../verb.ts'

/** What happened to a server shortly after a request often says why the request failed: checks come to their verdict later. */
const AFTERWARDS_MS = 3_000

export const whyVerb: Verb<'why'> = {
  async run({ records }, { id }) {
    if (records === undefined) throw new ControlError('failed', 'this weir keeps no records')
    const found = await records.find(id).catch((error: Error) => Promise.reject(new ControlError('failed', error.message)))
    if (found.record === null) throw new ControlError('not-kept', unknownWords(id, found))
    return { record: found.record, count: found.count, servers: serversOf(records, found.record) } as WhyData
  },
}

function serversOf(records: NonNullable<Operation['records']>, record: NonNullable<Found['record']>): WhyData['servers'] {
  const endMs = endedAtMs(record)
  const beginMs = endMs - (record.totalUs ?? 0) / 1_000
  if (record.upstream === undefined) return []
  const moment = ({ atMs, state, why }: StateChange): ServerMoment => ({ atMs: Math.round(atMs - beginMs), state, why })
  return records.states(record.upstream, beginMs, endMs + AFTERWARDS_MS).map(({ server, atFirst, later }) => {
    return { id: server, atFirst: atFirst === null ? null : moment(atFirst), later: later.map(moment) }
  })
}

function unknownWords(id: string, { reachMs }: Found): string {
  const who = `no request with the id ${JSON.stringify(printable(id, 80))} is known`
  const reach = reachMs === null ? 'there is no request yet' : `all requests of the last ${roughly(reachMs)} are`
  return `${who}: ${reach}; the last 2,000 that failed or were tried again are kept longer, and the 500 slowest for 5 minutes; the access log has older ones`
}

function roughly(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  if (seconds < 120) return `${seconds} s`
  return seconds < 7_200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3_600)} h`
}
