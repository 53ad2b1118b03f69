import type { Operation } from '../operation.ts'
import type { Caller } from '../verb.ts'
import { act, forced } from './act.ts'
import { type HaproxyCommand, HaproxyError } from './command.ts'
import { serverByName } from './find.ts'

const MOST = 256

export const setWeight: HaproxyCommand = {
  words: ['set', 'weight'],
  usage: 'set weight <bk>/<srv>  (DEPRECATED)',
  text: "change a server's weight (use 'set server' instead)",
  run(operation, [name, value, last], caller) {
    return changeWeight(operation, serverByName(operation, name).record.server, value, last, caller)
  },
}

export const getWeight: HaproxyCommand = {
  words: ['get', 'weight'],
  usage: 'get weight <bk>/<srv>',
  text: "report a server's current weight",
  run(operation, [name]) {
    const { config, weightShare } = serverByName(operation, name).record
    return `${Math.round(config.weight * weightShare)} (initial ${config.weight})`
  },
}

export function changeWeight(
  operation: Operation,
  server: string,
  value: string | undefined,
  last: string | undefined,
  caller: Caller,
): Promise<''> {
  if (value === undefined) throw new HaproxyError('Require <weight> or <weight%>.')
  const configured = operation.fleet.table.get(server)?.record.config.weight ?? 1
  return act(operation, 'weight', { server, weight: weightOf(value, configured), ...forced(last) }, caller)
}

/** What our own verb takes: shares of more than 100% as a number. Throws HaproxyError with HAProxy's words. */
function weightOf(value: string, configured: number): string {
  const [, digits, rest] = /^([+-]?\d+)(.*)$/s.exec(value) ?? []
  if (digits === undefined) throw new HaproxyError('Empty weight string empty or preceded by garbage')
  const weight = Number(digits)
  if (rest === '%') {
    if (weight < 0) throw new HaproxyError('Relative weight must be positive.')
    return weight <= 100 ? `${weight}%` : `${Math.min(MOST, Math.floor((configured * weight) / 100))}`
  }
  if (weight < 0 || weight > MOST) throw new HaproxyError('Absolute weight can only be between 0 and 256 inclusive.')
  if (rest !== '') throw new HaproxyError('Trailing garbage in weight string')
  return `${weight}`
}
