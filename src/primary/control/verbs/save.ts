import type { Verb } from '../verb.ts'

export const saveVerb: Verb<'save'> = {
  run(operation, { dryRun = false }) {
    return operation.save(dryRun)
  },
}
