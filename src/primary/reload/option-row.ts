import { formatDuration, formatSize, parseDuration, parseSize } from '../../shared/base/units.ts'
import type { Reload } from '../../shared/config/schema/option.ts'
import { configSchema } from '../../shared/config/schema.ts'
import { nodeOf, type SchemaNode } from '../../shared/config/schema-node.ts'
import type { PlanStep } from '../../shared/control/data.ts'
import { list } from './written.ts'

/** How a step of each reload class of the schema is applied. What is live for new requests or connections interrupts no old ones. */
export const howOf: Record<Reload, PlanStep['how']> = {
  live: 'live',
  'next-exchange': 'live',
  'new-connections': 'live',
  drains: 'drains',
  restart: 'restart',
}

/** The schema's row at a place. Keys are as in the file, names among them; an item of a list has the key `[]`. Null where there is none. */
export function rowAt(keys: readonly string[]): SchemaNode | null {
  return keys.reduce<SchemaNode | null>((node, key) => (node === null ? null : below(node, key)), nodeOf(configSchema))
}

/** How a change at a place is applied: as its row says, or the nearest row around it. */
export function howAt(keys: readonly string[]): PlanStep['how'] {
  for (let count = keys.length; count > 0; count -= 1) {
    const reload = rowAt(keys.slice(0, count))?.['x-reload']
    if (reload !== undefined) return howOf[reload]
  }
  return 'live'
}

/** The default of a row as `written` texts have it; null where it has none. */
export function defaultText(row: SchemaNode | null): string | null {
  const value = row?.default
  if (typeof value === 'string') return uniform(value, row)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return list(value as (string | number)[])
  // A map with free keys is empty by default; a section has defaults of its own.
  return value !== undefined && row?.additionalProperties ? 'none' : null
}

/** `300s` and `5m` are the same. */
function uniform(text: string, row: SchemaNode | null): string {
  const kinds = [row, ...(row?.anyOf ?? [])].map((node) => node?.['x-kind'])
  const duration = kinds.includes('duration') ? parseDuration(text) : null
  if (duration?.ok) return formatDuration(duration.value)
  const size = kinds.includes('size') ? parseSize(text) : null
  return size?.ok ? formatSize(size.value) : text
}

function below(row: SchemaNode, key: string): SchemaNode | null {
  const branches = [nodeOf(row), ...(row.anyOf ?? []).map(nodeOf)]
  for (const node of branches) {
    const found = key === '[]' ? node.items : (ownProperty(node, key) ?? (node.additionalProperties || undefined))
    if (found) return found
  }
  return null
}

function ownProperty(node: SchemaNode, key: string): SchemaNode | undefined {
  return node.properties && Object.hasOwn(node.properties, key) ? node.properties[key] : undefined
}
