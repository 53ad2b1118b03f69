import { changeData } from '../change.ts'
import { serverOf } from '../find-server.ts'
import { mustLeaveOthers } from '../interlock.ts'
import { during } from '../under-way.ts'
import type { Verb } from '../verb.ts'

export const removeVerb: Verb<'remove'> = {
  run(operation, { server, dryRun = false, force = false }) {
    const entry = serverOf(operation, server)
    if (!force) mustLeaveOthers(operation, entry, 'removing it')
    const inFlight = () => operation.board.inFlight(entry.record.slot)
    return changeData(operation, dryRun, {
      ids: [server],
      isNeeded: true,
      what: () => `${server} is removed${inFlight() > 0 ? `: ${inFlight()} in flight finish` : ''}`,
      plan: `${server} would be removed${inFlight() > 0 ? `; ${inFlight()} in flight would finish` : ''}`,
      act: () => during(operation, server, 'removed', () => operation.removeServer(server)),
    })
  },
}
