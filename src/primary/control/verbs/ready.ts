import { setAdmin } from '../set-admin.ts'
import type { Verb } from '../verb.ts'

/** Takes back what drain and maint said. */
export const readyVerb: Verb<'ready'> = {
  run(operation, request) {
    return setAdmin(operation, request, 'ready')
  },
}
