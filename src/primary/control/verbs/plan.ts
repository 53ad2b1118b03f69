import type { Verb } from '../verb.ts'

export const planVerb: Verb<'plan'> = {
  run(operation) {
    return operation.plan()
  },
}
