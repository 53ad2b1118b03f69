import type { ValueMatch } from '../../shared/config/model.ts'

/** Answers whether a value (undefined: was not sent) is what the config asks for. */
export type ValueTest = (value: string | undefined) => boolean

/** Throws a SyntaxError when a regex is broken; the config check has refused those before. */
export function compileValue(match: ValueMatch): ValueTest {
  if (match === true) return (value) => value !== undefined
  if (match === false) return (value) => value === undefined
  if (typeof match === 'string') return (value) => value === match
  if (Array.isArray(match)) {
    const tests = match.map(compileValue)
    return (value) => tests.some((test) => test(value))
  }
  const regex = new RegExp(match.regex)
  return (value) => value !== undefined && regex.test(value)
}

/** The wish in words: `present`, `absent`, `"a"`, `~^a`, `"a" or ~^b`. */
export function valueText(match: ValueMatch): string {
  if (match === true) return 'present'
  if (match === false) return 'absent'
  if (typeof match === 'string') return JSON.stringify(match)
  return Array.isArray(match) ? match.map(valueText).join(' or ') : `~${match.regex}`
}
