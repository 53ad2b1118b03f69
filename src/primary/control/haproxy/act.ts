import type { RequestOf, VerbName } from '../../../shared/control/requests.ts'
import { audited } from '../answer-request.ts'
import { deedOf } from '../audit.ts'
import type { Operation } from '../operation.ts'
import type { Caller, Verb } from '../verb.ts'

/**
 * Does what a verb of our own does, audit line included. HAProxy has no word for doing it all the same: `force` at the end of the
 * line is ours.
 */
export async function act<V extends VerbName>(
  operation: Operation,
  name: V,
  verb: Verb<V>,
  request: RequestOf<V>,
  caller: Caller,
): Promise<''> {
  await audited(
    operation,
    { who: caller.who, what: deedOf(name, request as Record<string, unknown>) },
    async () => verb.run(operation, request, caller) as object,
  )
  return ''
}

export function forced(word: string | undefined): { force?: true } {
  return word === 'force' ? { force: true } : {}
}
