import { ControlError } from '../../../shared/control/requests.ts'
import { parseWhere } from '../../../shared/records/where.ts'
import { WhereError } from '../../../shared/records/where-tokens.ts'
import { TailStream } from '../tail-stream.ts'
import type { Verb } from '../verb.ts'

export const tailVerb: Verb<'tail'> = {
  run({ records }, { where = '', limit = Number.POSITIVE_INFINITY }, caller) {
    if (records === undefined) throw new ControlError('failed', 'this weir keeps no records')
    check(where)
    return new TailStream(records, { where, limit }, caller).end()
  },
}

function check(where: string): void {
  try {
    parseWhere(where)
  } catch (error) {
    if (!(error instanceof WhereError)) throw error
    throw new ControlError('bad-request', `tail: where, character ${error.at + 1}: ${error.message}`)
  }
}
