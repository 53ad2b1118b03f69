import { ControlError } from '../../../shared/control/requests.ts'
import type { LiveView } from '../../../shared/statistics/live.ts'
import type { Verb } from '../verb.ts'

/** What dashboards and `weir top` show. */
export const liveVerb: Verb<'live'> = {
  async run({ statistics }, { window = '10s' }) {
    if (statistics === undefined) throw new ControlError('failed', 'this weir keeps no statistics')
    return JSON.parse(Buffer.from(await statistics.live(window)).toString()) as LiveView
  },
}
