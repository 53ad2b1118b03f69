/** Values of the config as they stand in a file. What a plan compares and shows is this, option by option. */
import { formatDuration } from '../../shared/base/units.ts'
import type { HeaderEdits, StatusRanges } from '../../shared/config/model.ts'

/** One option as a text, or a section of options by their keys in the schema. An option that is not given is left out. */
export type Written = string | WrittenSection
export interface WrittenSection {
  [key: string]: Written
}

/** Items one after the other; `none` where there are none. */
export function list(items: readonly (string | number)[]): string {
  return items.length === 0 ? 'none' : items.join(', ')
}

/** `200-399, 404`. */
export function statuses(ranges: StatusRanges): string {
  return list(ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`)))
}

/** `X-Env: prod, X-Zone: a`. */
export function pairs(headers: readonly [string, string][]): string {
  return list(headers.map(([name, value]) => `${name}: ${value}`))
}

/** A duration, or the word for its absence. */
export function durationOr(ms: number | null, word: string): string {
  return ms === null ? word : formatDuration(ms)
}

/** The options that are given; null is not given. */
export function given(options: Record<string, Written | null | undefined>): WrittenSection {
  const entries = Object.entries(options).flatMap(([key, value]) => (value === null || value === undefined ? [] : [[key, value] as const]))
  return Object.fromEntries(entries)
}

/** A section, or `off` for null. */
export function sectionOrOff<M>(model: M | null, write: (model: M) => WrittenSection): Written {
  return model === null ? 'off' : write(model)
}

/** The three edits of headers. */
export function headerEdits(edits: HeaderEdits): WrittenSection {
  return { set: pairs(edits.set), add: pairs(edits.add), remove: list(edits.remove) }
}

/** A function by its source text, which is all that two of them can be compared by. */
export function functionText(value: ((...given: never[]) => unknown) | undefined): string | null {
  return value === undefined ? null : String(value)
}
