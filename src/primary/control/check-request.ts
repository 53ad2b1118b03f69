/** Requests as they come from a client: JSON that names a verb, with the fields that the verb takes. */
import { Compile, type Validator } from 'typebox/compile'
import { nearest } from '../../shared/config/nearest.ts'
import { ControlError, type RequestOf, type VerbName, verbs } from '../../shared/control/requests.ts'
import { printable } from './printable.ts'

export type CheckedRequest = { [V in VerbName]: { verb: V; request: RequestOf<V> } }[VerbName]

const names = Object.keys(verbs) as VerbName[]
const validators = new Map<string, Validator>(names.map((verb) => [verb, Compile(verbs[verb].request)]))

/** Reads one line. Throws ControlError `bad-request` or `unknown-verb`, which says what is wrong with which field. */
export function checkRequest(line: string): CheckedRequest {
  const { verb, ...request } = parse(line)
  if (typeof verb !== 'string') throw new ControlError('bad-request', 'a request names its verb: {"verb":"status"}')
  const validator = validators.get(verb)
  if (validator === undefined) throw new ControlError('unknown-verb', unknownVerb(verb))
  if (!validator.Check(request)) throw new ControlError('bad-request', `${verb}: ${faultOf(validator, verb as VerbName, request)}`)
  return { verb, request } as CheckedRequest
}

function parse(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch (error) {
    throw new ControlError('bad-request', `the request is no valid JSON: ${printable((error as Error).message)}`)
  }
}

function unknownVerb(verb: string): string {
  const near = nearest(verb, names)
  return `there is no verb ${JSON.stringify(printable(verb, 40))}${near === null ? `; there is ${names.join(', ')}` : `, did you mean "${near}"?`}`
}

interface Fault {
  keyword: string
  instancePath: string
  params: { requiredProperties?: string[]; additionalProperties?: string[]; allowedValues?: unknown[] }
  message: string
}

/** The first fault, in words that name the field. An unknown field comes first: it is often the misspelled one that is missing. */
function faultOf(validator: Validator, verb: VerbName, request: unknown): string {
  const faults = validator.Errors(request) as Fault[]
  const extra = faults.find(({ params }) => params.additionalProperties !== undefined)?.params.additionalProperties?.[0]
  if (extra !== undefined) return unknownField(verb, extra)
  const missing = faults.find(({ params }) => params.requiredProperties !== undefined)?.params.requiredProperties?.[0]
  if (missing !== undefined) return `the field ${missing} is missing`
  const wrong = faults[0]
  if (wrong === undefined) return 'the request is not valid'
  const words = wrong.params.allowedValues
  const field = printable(wrong.instancePath.slice(1).replaceAll('/', '.'), 60)
  return `${field} ${words === undefined ? wrong.message : `must be one of ${words.join(', ')}`}`
}

function unknownField(verb: VerbName, name: string): string {
  const fields = Object.keys(verbs[verb].request.properties)
  const near = nearest(name, fields)
  const help = near !== null ? `, did you mean ${near}?` : fields.length === 0 ? '; it takes none' : `; it takes ${fields.join(', ')}`
  return `there is no field ${JSON.stringify(printable(name, 40))}${help}`
}
