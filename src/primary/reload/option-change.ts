import type { SchemaNode } from '../../shared/config/schema-node.ts'
import { defaultText, rowAt } from './option-row.ts'
import type { Written, WrittenSection } from './written.ts'

/** One option that differs. */
export interface OptionChange {
  /** Below the section that was compared. */
  keys: string[]
  /** In words, with the values before and after where they can be shown. */
  text: string
}

/** More of a value says nothing in a line. */
const longestShown = 80

/**
 * The options that differ between two states of a section, each once. A section that was switched on or off is one option. `place`
 * is where the section stands in the schema, see `rowAt`.
 */
export function optionChanges(before: WrittenSection, after: WrittenSection, place: readonly string[]): OptionChange[] {
  return sectionChanges(before, after, { place, keys: [] })
}

interface Spot {
  place: readonly string[]
  keys: string[]
}

function sectionChanges(before: WrittenSection, after: WrittenSection, spot: Spot): OptionChange[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].flatMap((key) => changesAt(before[key], after[key], { place: spot.place, keys: [...spot.keys, key] }))
}

function changesAt(before: Written | undefined, after: Written | undefined, spot: Spot): OptionChange[] {
  if (isSection(before) && isSection(after)) return sectionChanges(before, after, spot)
  const row = rowAt([...spot.place, ...spot.keys])
  const [was, is] = [before ?? defaultText(row) ?? undefined, after ?? defaultText(row) ?? undefined]
  if (was === is) return []
  return [{ keys: spot.keys, text: changeText({ before: was, after: is }, row, spot) }]
}

function changeText(values: { before: Written | undefined; after: Written | undefined }, row: SchemaNode | null, spot: Spot): string {
  const name = spot.keys.join('.')
  const [before, after] = [shownValue(values.before, row, spot), shownValue(values.after, row, spot)]
  if (before !== null && after !== null) return `${name} from ${before} to ${after}`
  if (values.before === undefined) return `${name} added`
  return values.after === undefined ? `${name} removed` : `${name} changed`
}

/** Null for what is not shown: secrets, functions, long texts. */
function shownValue(value: Written | undefined, row: SchemaNode | null, spot: Spot): string | null {
  if (value === undefined) return 'not set'
  if (isSection(value)) return summary(value, spot)
  const kinds = [row, ...(row?.anyOf ?? [])].map((node) => node?.['x-kind'])
  const isCode = kinds.includes('function') && /=>|\bfunction\b|[({]/.test(value)
  if (kinds.includes('secret') || kinds.includes('token') || isCode || value.length > longestShown || /[\r\n]/.test(value)) return null
  return value === '' ? '""' : value
}

/** `on`, with the options that are not as by default where they are few. */
function summary(section: WrittenSection, spot: Spot): string {
  const leaves = leavesOf(section, spot.keys)
  const own = leaves.filter(({ keys, text }) => text !== defaultText(rowAt([...spot.place, ...keys])))
  const shown = own.map(({ keys, text }) => {
    const value = shownValue(text, rowAt([...spot.place, ...keys]), { place: spot.place, keys })
    return `${keys.slice(spot.keys.length).join('.')}: ${value ?? '…'}`
  })
  const text = `{ ${shown.join(', ')} }`
  return shown.length > 0 && text.length <= longestShown ? text : 'on'
}

function leavesOf(section: WrittenSection, keys: string[]): { keys: string[]; text: string }[] {
  return Object.entries(section).flatMap(([key, value]) => {
    return isSection(value) ? leavesOf(value, [...keys, key]) : [{ keys: [...keys, key], text: value }]
  })
}

function isSection(value: Written | undefined): value is WrittenSection {
  return typeof value === 'object'
}
