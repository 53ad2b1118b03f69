import type { Verb } from '../verb.ts'

export const reloadVerb: Verb<'reload'> = {
  run(operation, { dryRun = false }) {
    return operation.reload(dryRun)
  },
}
