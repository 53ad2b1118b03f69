/** From the line of a client to the line it gets back. */
import { type Answer, ControlError, controlErrors, schemaName, verbs } from '../../shared/control/requests.ts'
import { auditLine, deedOf, failureOf, outcomeOf } from './audit.ts'
import { type CheckedRequest, checkRequest } from './check-request.ts'
import type { Operation } from './operation.ts'
import type { Caller, Verb } from './verb.ts'
import { verbTable } from './verb-table.ts'

/** Does what a JSON line asks for. Never rejects: what goes wrong is the answer. */
export async function answerRequest(operation: Operation, line: string, caller: Caller): Promise<Answer> {
  try {
    const checked = checkRequest(line)
    const data = await perform(operation, checked, caller)
    return envelope(operation, schemaName(checked.verb), data)
  } catch (error) {
    return errorAnswer(operation, error)
  }
}

export function progressAnswer(operation: Operation, data: unknown): Answer {
  return envelope(operation, 'weir.progress/1', data)
}

/** An error that is no ControlError is a fault of ours, and still an answer. */
export function errorAnswer(operation: Operation, error: unknown): Answer {
  const { code, message } = error instanceof ControlError ? error : { code: 'failed' as const, message: (error as Error).message }
  return { schema: 'weir.error/1', ...stamp(operation), error: { code, message, exit: controlErrors[code] } }
}

/** Does what a request asks for; a change leaves a line in the log. Rejects with ControlError when it is not done. */
export async function perform(operation: Operation, { verb, request }: CheckedRequest, caller: Caller): Promise<object> {
  // The table pairs each verb with its own request, which the compiler cannot see through a variable.
  const entry = verbTable[verb] as Verb<typeof verb> as { run(operation: Operation, request: object, caller: Caller): object }
  if (!verbs[verb].isChange) return entry.run(operation, request, caller)
  const deed = deedOf(caller.who, verb, request as Record<string, unknown>)
  try {
    const data = await entry.run(operation, request, caller)
    operation.log(auditLine(deed, outcomeOf(data, deed.isDryRun)))
    return data
  } catch (error) {
    operation.log(auditLine(deed, failureOf(error)))
    throw error
  }
}

function envelope(operation: Operation, schema: string, data: unknown): Answer {
  return { schema, ...stamp(operation), data }
}

function stamp(operation: Operation): { generation: number; time: string } {
  return { generation: operation.generation(), time: new Date().toISOString() }
}
