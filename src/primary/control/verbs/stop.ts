import type { Verb } from '../verb.ts'

/** Answers when the stop has begun; the socket closes with the process. */
export const stopVerb: Verb<'stop'> = {
  run(operation, { graceMs, dryRun = false }) {
    if (dryRun) return { graceMs: graceMs ?? operation.config().shutdown.graceMs }
    return { graceMs: operation.stop(graceMs) }
  },
}
