import { setAdmin } from '../set-admin.ts'
import type { Verb } from '../verb.ts'

/** No new exchanges and tunnels; what runs finishes. */
export const drainVerb: Verb<'drain'> = {
  run(operation, request) {
    return setAdmin(operation, request, 'drain', request.strict === true)
  },
}
