import type { Session } from '../../../shared/control/data.ts'
import { serverOf } from '../find-server.ts'
import type { Operation } from '../operation.ts'
import type { Verb } from '../verb.ts'

/** So many are asked for, to count them; more are not listed in any case. */
const MOST_ASKED = 10_000
const USUALLY_LISTED = 100

export const sessionsVerb: Verb<'sessions'> = {
  async run(operation, { server, most = USUALLY_LISTED }) {
    const slot = server === undefined ? -1 : serverOf(operation, server).record.slot
    const sessions = await sessionsOf(operation, slot)
    const open = server === undefined ? operation.workers().reduce((sum, worker) => sum + worker.tunnels, 0) : 0
    return { sessions: sessions.slice(0, most), total: Math.max(open, sessions.length) }
  },
}

/** Open tunnels of a row of the board, or of all with -1, with the names that people know. */
export async function sessionsOf(operation: Operation, slot: number): Promise<Session[]> {
  const found = await operation.tunnels(slot, MOST_ASKED)
  const listeners = new Map(operation.listeners().map((listener) => [listener.slot, listener.name]))
  const servers = new Map(operation.fleet.table.servers().map((record) => [record.slot, record.server]))
  return found.map(({ worker, tunnel }) => {
    const { client, listener, server, ageMs, idleMs, bytesSent, bytesReceived } = tunnel
    const names = { listener: listeners.get(listener) ?? '', server: servers.get(server) ?? '' }
    return { worker, client, ...names, ageMs, idleMs, bytesSent, bytesReceived }
  })
}
