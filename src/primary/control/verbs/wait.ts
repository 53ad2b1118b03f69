import { ControlError } from '../../../shared/control/requests.ts'
import { serverOf, upstreamOf } from '../find-server.ts'
import type { Operation } from '../operation.ts'
import type { Verb } from '../verb.ts'
import { Waiting } from '../waiting.ts'

export const waitVerb: Verb<'wait'> = {
  run(operation, request, caller) {
    return new Waiting(operation, request, rowOf(operation, request.server, request.condition), caller).end()
  },
}

/** The server's row of the board. One that was removed a moment ago can still be waited for until it is empty. */
function rowOf(operation: Operation, server: string, condition: 'drained' | 'up' | 'checked'): number {
  const leaving = operation.fleet.table.get(server) === undefined ? operation.fleet.table.leaving(server) : undefined
  if (leaving !== undefined && condition === 'drained') return leaving
  const { record, upstream } = serverOf(operation, server)
  if (condition === 'checked' && upstreamOf(operation, upstream).health === null)
    throw new ControlError('bad-request', `${server} has no active checks to wait for: its upstream has health: off`)
  return record.slot
}
