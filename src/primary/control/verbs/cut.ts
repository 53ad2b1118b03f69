import { serverOf } from '../find-server.ts'
import type { Verb } from '../verb.ts'

export const cutVerb: Verb<'cut'> = {
  async run(operation, { server, dryRun = false }) {
    const { slot } = serverOf(operation, server).record
    const cut = dryRun ? operation.board.inFlight(slot) : await operation.cut(slot)
    return { server, dryRun, cut }
  },
}
