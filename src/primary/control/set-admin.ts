/** What `drain`, `maint` and `ready` have in common. */
import type { ChangeData } from '../../shared/control/data.ts'
import type { ServerState } from '../../shared/ipc/server-state.ts'
import { changeData } from './change.ts'
import { serverOf } from './find-server.ts'
import { mustLeaveOthers } from './interlock.ts'
import type { Operation } from './operation.ts'

type Admin = ServerState['admin']

export interface AdminRequest {
  server: string
  dryRun?: boolean
  force?: boolean
}

const doing: Record<Exclude<Admin, 'ready'>, string> = { drain: 'draining it', maint: 'maintenance' }
const plans: Record<Admin, string> = { ready: 'would be ready', drain: 'would be drained', maint: 'would be in maintenance' }

/** `isStrict` matters for draining: sticky users are moved, too. */
export async function setAdmin(operation: Operation, request: AdminRequest, admin: Admin, isStrict = false): Promise<ChangeData> {
  const { server, dryRun = false, force = false } = request
  const entry = serverOf(operation, server)
  if (admin !== 'ready' && !force) mustLeaveOthers(operation, entry, doing[admin])
  return changeData(operation, dryRun, {
    ids: [server],
    isNeeded: entry.admin !== admin || entry.record.isStrict !== isStrict,
    what: () => afterwards(operation, server),
    plan: `${server} ${plans[admin]}${remaining(operation, server)}`,
    act: () => operation.setAdmin(server, admin, isStrict),
  })
}

function afterwards(operation: Operation, server: string): string {
  const entry = operation.fleet.table.get(server)
  if (entry === undefined) return `${server} is gone`
  const { admin } = entry.record
  if (admin === 'maint') return `${server} is in maintenance${remaining(operation, server)}`
  if (entry.admin === 'ready' && admin === 'drain') return `${server} is ready, but asks itself to be drained`
  if (admin === 'ready') return `${server} is ready`
  return operation.board.inFlight(entry.record.slot) > 0 ? `${server} is draining${remaining(operation, server)}` : `${server} is drained`
}

function remaining(operation: Operation, server: string): string {
  const slot = operation.fleet.table.get(server)?.record.slot
  const inFlight = slot === undefined ? 0 : operation.board.inFlight(slot)
  return inFlight > 0 ? `: ${inFlight} in flight` : ''
}
