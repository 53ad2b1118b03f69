import { statusData } from '../status.ts'
import type { Verb } from '../verb.ts'

export const statusVerb: Verb<'status'> = {
  run(operation) {
    return statusData(operation)
  },
}
