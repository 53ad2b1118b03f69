import { setAdmin } from '../set-admin.ts'
import type { Verb } from '../verb.ts'

/** Out of service, checks included. */
export const maintVerb: Verb<'maint'> = {
  run(operation, request) {
    return setAdmin(operation, request, 'maint')
  },
}
