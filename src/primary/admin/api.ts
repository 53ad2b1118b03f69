/** The verbs of the control socket over HTTP, through the same code and with the same envelope: `POST /api/VERB`. */
import type { ServerResponse } from 'node:http'
import { type Answer, ControlError, type ControlErrorCode, schemaName, type VerbName, verbs } from '../../shared/control/requests.ts'
import { type WindowName, windows } from '../../shared/statistics/live.ts'
import { answerRequest, errorAnswer } from '../control/answer-request.ts'
import type { Operation } from '../control/operation.ts'
import type { Level } from './access.ts'
import { send, sendJson } from './respond.ts'

const statusOf: Readonly<Record<ControlErrorCode, number>> = {
  'bad-request': 400,
  'unknown-verb': 404,
  'unknown-name': 404,
  'invalid-config': 422,
  failed: 500,
  late: 504,
  'not-kept': 404,
  refused: 409,
}

export interface ApiRequest {
  /** As it stands in the path. */
  verb: string
  /** JSON, or '' for none. */
  body: string
  level: Level
  /** For the audit line. */
  who: string
}

/** Answers a verb. Whoever goes away ends what waits for him. */
export async function answerVerb(operation: Operation, response: ServerResponse, { verb, body, level, who }: ApiRequest): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort(new ControlError('failed', 'the client is gone')))
  // It may wait for a day; that it says nothing meanwhile is no sign that it hangs.
  response.socket?.setTimeout(0)
  const caller = { who, signal: gone.signal, progress: () => undefined }
  const line = lineOf(verb, body)
  const answer =
    typeof line === 'string' && mayAsk(verb, line, level) ? await answerRequest(operation, line, caller) : refusal(operation, line)
  sendAnswer(response, answer)
}

/** Verbs that change nothing and need no fields. */
export function isPlainRead(verb: string): verb is VerbName {
  if (!Object.hasOwn(verbs, verb)) return false
  const { isChange, request } = verbs[verb as VerbName]
  return !isChange && ((request as { required?: string[] }).required ?? []).length === 0
}

/** The newest view, as the thread of statistics has written it. */
export async function answerLive(operation: Operation, response: ServerResponse, query: string): Promise<void> {
  const window = windowOf(query)
  if (window === null) return sendAnswer(response, errorAnswer(operation, new ControlError('bad-request', windowFault)))
  const { statistics } = operation
  if (statistics === undefined)
    return sendAnswer(response, errorAnswer(operation, new ControlError('failed', 'this weir keeps no statistics')))
  const view = await statistics.live(window)
  const begin = `{"schema":"${schemaName('live')}","generation":${operation.generation()},"time":"${new Date().toISOString()}","data":`
  send(response, 200, 'application/json; charset=utf-8', Buffer.concat([Buffer.from(begin), view, Buffer.from('}\n')]))
}

export const windowFault = `window must be one of ${windows.join(', ')}`

/** Of `?window=`; 10 s without it, null for one that there is not. */
export function windowOf(query: string): WindowName | null {
  const name = new URLSearchParams(query).get('window') ?? '10s'
  return windows.find((window) => window === name) ?? null
}

export function sendRefusal(
  response: ServerResponse,
  operation: Operation,
  status: number,
  why: string,
  headers: Record<string, string> = {},
): void {
  sendJson(
    response,
    status,
    errorAnswer(operation, new ControlError(status === 400 || status === 413 || status === 415 ? 'bad-request' : 'refused', why)),
    headers,
  )
}

function sendAnswer(response: ServerResponse, answer: Answer): void {
  sendJson(response, 'error' in answer ? statusOf[answer.error.code] : 200, answer)
}

/** As it would stand on the control socket; an error says what the body is instead. */
function lineOf(verb: string, body: string): string | ControlError {
  let fields: unknown
  try {
    fields = body.trim() === '' ? {} : JSON.parse(body)
  } catch {
    return new ControlError('bad-request', 'the body is no valid JSON')
  }
  if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) return JSON.stringify({ ...fields, verb })
  return new ControlError('bad-request', 'the body must be a JSON object with the fields of the verb')
}

/** Who may only look also may not begin a measurement of others anew. */
function mayAsk(verb: string, line: string, level: Level): boolean {
  if (level === 'operate' || !Object.hasOwn(verbs, verb)) return true
  return !verbs[verb as VerbName].isChange && (JSON.parse(line) as { restartHold?: unknown }).restartHold === undefined
}

function refusal(operation: Operation, line: string | ControlError): Answer {
  return errorAnswer(operation, line instanceof ControlError ? line : new ControlError('refused', 'this token may only look'))
}
