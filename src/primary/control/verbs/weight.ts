import { formatShare, parseShare } from '../../../shared/base/units.ts'
import { ControlError } from '../../../shared/control/requests.ts'
import { changeData } from '../change.ts'
import { serverOf } from '../find-server.ts'
import { mustLeaveOthers } from '../interlock.ts'
import type { Operation } from '../operation.ts'
import { printable } from '../printable.ts'
import type { Verb } from '../verb.ts'

export const weightVerb: Verb<'weight'> = {
  run(operation, { server, weight, dryRun = false, force = false }) {
    const entry = serverOf(operation, server)
    const share = shareOf(weight, server, entry.record.config.weight)
    if (share === 0 && !force) mustLeaveOthers(operation, entry, 'a weight of 0')
    return changeData(operation, dryRun, {
      ids: [server],
      isNeeded: entry.record.weightShare !== share,
      what: () => `${server} has ${weightWords(operation, server)}`,
      plan: `${server} would have ${words(share, entry.record.config.weight)}`,
      act: () => operation.setWeightShare(server, share),
    })
  },
}

/** Of the configured weight: `50%` as it stands, a number against what is configured. Throws ControlError `bad-request`. */
function shareOf(text: string, server: string, configured: number): number {
  const share = text.endsWith('%') ? parsedShare(text) : parsedNumber(text) / Math.max(1, configured)
  if (configured === 0 && share > 0)
    throw new ControlError(
      'bad-request',
      `the configured weight of ${server} is 0, which no command can raise: change the config and reload`,
    )
  return share
}

function parsedShare(text: string): number {
  const share = parseShare(text)
  if (share.ok) return share.value
  throw new ControlError('bad-request', `weight: expected ${share.expected}, found "${printable(text, 40)}"`)
}

function parsedNumber(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 256) return Number(text)
  throw new ControlError('bad-request', `weight: expected a share such as 50%, or a number from 0 to 256, found "${printable(text, 40)}"`)
}

function weightWords(operation: Operation, server: string): string {
  const record = operation.fleet.table.get(server)?.record
  return record === undefined ? 'no weight: it is gone' : words(record.weightShare, record.config.weight)
}

function words(share: number, configured: number): string {
  return `${formatShare(share)} of its weight, ${Number((share * configured).toFixed(2))} of ${configured}`
}
