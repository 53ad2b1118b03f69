import type { Verb } from '../verb.ts'

export const upgradeVerb: Verb<'upgrade'> = {
  run(operation, { dryRun = false }) {
    return operation.upgrade(dryRun)
  },
}
