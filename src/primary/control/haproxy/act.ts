import type { RequestOf, VerbName } from '../../../shared/control/requests.ts'
import { perform } from '../answer-request.ts'
import type { CheckedRequest } from '../check-request.ts'
import type { Operation } from '../operation.ts'
import type { Caller } from '../verb.ts'

/** Does what a verb of our own does, audit line included. */
export async function act<V extends VerbName>(operation: Operation, verb: V, request: RequestOf<V>, caller: Caller): Promise<''> {
  await perform(operation, { verb, request } as CheckedRequest, caller)
  return ''
}

/** HAProxy has no word for doing it all the same: this one at the end of the line is ours. */
export function forced(word: string | undefined): { force?: true } {
  return word === 'force' ? { force: true } : {}
}
