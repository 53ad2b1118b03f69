import type { Verb } from '../verb.ts'

export const workersVerb: Verb<'workers'> = {
  run(operation) {
    return { workers: operation.workers() }
  },
}
