import type { RequestOutcome } from '../../index-types.ts'
import type { Engine } from '../../native/contract.ts'
import type { ErrorPages } from '../../shared/config/model.ts'

/** A short sentence for each status that weir answers with itself. A configured page replaces it. */
const sentences: Record<number, string> = {
  400: 'the request path is not valid',
  404: 'no route matches this request',
  500: 'a function of the configuration failed',
  502: 'the server gave no valid response',
  503: 'no server can take this request now',
  504: 'the server did not respond in time',
}

/** Bodies of our own answers: those of the config, ours for the rest. The engine looks them up by status. */
export function pagesOf(pages: ErrorPages): { status: number; contentType: string; body: string }[] {
  const all: ErrorPages = {}
  for (const [status, sentence] of Object.entries(sentences)) {
    all[Number(status)] = { contentType: 'text/plain; charset=utf-8', body: `${status}: ${sentence}\n` }
  }
  Object.assign(all, pages)
  return Object.entries(all).map(([status, page]) => ({ status: Number(status), ...page }))
}

/** Stages the answer with a status of ours; 503 tells the client when to come back. */
export function stageStatus(engine: Engine, status: number, pages: ErrorPages): void {
  const page = pages[status]
  engine.stageAnswer(status, status === 503 ? 'Retry-After: 1\r\n' : '', page?.contentType ?? '', page?.body)
}

type OutcomeOf<K extends string> = Extract<RequestOutcome, Record<K, unknown>>[K]

/** Stages the answer that a function of the config made. Throws a RangeError or TypeError for one that no response can hold. */
export function stageAnswerOf(engine: Engine, { status, body = '', headers = {} }: OutcomeOf<'answer'>): void {
  requireStatus(status)
  if (typeof body !== 'string') throw new TypeError('the body of an answer must be a string')
  const isType = ([name]: [string, string]) => name.toLowerCase() === 'content-type'
  const fields = Object.entries(headers)
  const type = fields.find(isType)?.[1] ?? 'text/plain; charset=utf-8'
  requireHeader('Content-Type', type)
  engine.stageAnswer(status, headerLines(fields.filter((field) => !isType(field))), type, body)
}

/** Stages the redirect that a function of the config made: 308 unless it says otherwise. Throws a RangeError for another status. */
export function stageRedirectOf(engine: Engine, { status = 308, to }: OutcomeOf<'redirect'>): void {
  if (![301, 302, 303, 307, 308].includes(status)) throw new RangeError(`${status} is not the status of a redirect`)
  engine.stageAnswer(status, headerLines([['Location', to]]), '', '')
}

/** Throws a RangeError unless it is a status that an answer may have: 200 to 599. */
export function requireStatus(status: unknown): void {
  if (!Number.isInteger(status) || Number(status) < 200 || Number(status) > 599) {
    throw new RangeError(`${String(status)} is not a status that an answer may have (200 to 599)`)
  }
}

/** Throws a RangeError when a name is no token or a value has control characters. */
export function requireHeader(name: string, value: string): void {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) throw new RangeError(`${JSON.stringify(name)} is not a header name`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused here.
  if (/[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]/.test(value))
    throw new RangeError(`the value of ${name} has characters that a header cannot hold`)
}

/** `Name: value` lines. Throws a RangeError for one that is not valid, or that weir sets itself. */
export function headerLines(headers: Iterable<readonly [string, string]>): string {
  let lines = ''
  for (const [name, value] of headers) {
    requireHeader(name, value)
    if (framing.has(name.toLowerCase())) throw new RangeError(`${name} is set by weir itself`)
    lines += `${name}: ${value}\r\n`
  }
  return lines
}

const framing = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'content-type',
  'keep-alive',
  'upgrade',
  'date',
  'trailer',
  'te',
])
