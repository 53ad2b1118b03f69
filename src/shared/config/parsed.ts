/** What the parsers of single values return: the meaning of a text, or why it has none. */
export type Parsed<T> = { ok: true; value: T } | { ok: false; message: string; hint: string | null }

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value }
}

/** `what` completes "expected …": a noun phrase. */
export function expected<T>(what: string, found: unknown, hint: string | null = null): Parsed<T> {
  return { ok: false, message: `expected ${what}, found ${shown(found)}`, hint }
}

export function refused<T>(message: string, hint: string | null = null): Parsed<T> {
  return { ok: false, message, hint }
}

/** A value as messages name it: short, and with its kind where the text alone would mislead. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (typeof value === 'string')
    return value === '' ? 'an empty text' : JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)
  if (typeof value === 'number' || typeof value === 'bigint') return `the number ${value}`
  if (typeof value === 'boolean') return `the word ${value}`
  if (typeof value === 'function') return 'a function'
  return Array.isArray(value) ? 'a list' : 'a map'
}
