import { ControlError } from '../../shared/control/requests.ts'
import { printable } from './printable.ts'

/** Who asked for what: an upstream or a server names it best. */
export interface Deed {
  who: string
  /** In words: `drain api/a`. */
  what: string
  isDryRun: boolean
}

/** The one line of the log that every change leaves: `control: drain api/a (pid 123, uid 0): changed`. */
export function auditLine({ who, what }: Deed, outcome: string): string {
  return `control: ${printable(what)} (${who}): ${printable(outcome, 400)}`
}

/** What a request of this verb is. */
export function deedOf(who: string, verb: string, request: Readonly<Record<string, unknown>>): Deed {
  return { who, what: wordsOf(verb, request), isDryRun: request['dryRun'] === true }
}

/** The fields of a request that say what it is about, with those that make it a different one. */
function wordsOf(verb: string, request: Readonly<Record<string, unknown>>): string {
  const { server, upstream, address, weight, graceMs } = request
  const words = [verb, server ?? upstream, address, weight, graceMs === undefined ? undefined : `grace ${graceMs} ms`]
  const flags = ['strict', 'force', 'dryRun'].filter((flag) => request[flag] === true)
  return [...words.filter((word) => word !== undefined), ...flags].join(' ')
}

/** What came of it, from its answer. */
export function outcomeOf(data: object, isDryRun: boolean): string {
  if (isDryRun) return 'nothing was done'
  if ('cut' in data) return `${data.cut} closed`
  if ('changed' in data) return data.changed === true ? 'changed' : 'it was so already'
  return 'done'
}

export function failureOf(error: unknown): string {
  return error instanceof ControlError ? `${error.code}: ${error.message}` : `failed: ${(error as Error).message}`
}
