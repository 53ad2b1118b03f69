import { formatDuration, formatShare, formatSize } from '../base/units.ts'
import type { ConfigDocument } from './document.ts'
import { type KindName, kinds } from './kinds.ts'
import { shown } from './parsed.ts'
import type { SchemaNode } from './schema-node.ts'
import { withArticle } from './type-text.ts'

/** Kinds that a plain number may be meant for. */
const measuredKinds: KindName[] = [
  'size',
  'duration',
  'share',
  'bindAddress',
  'portRange',
  'statusRange',
  'errorStatusRange',
  'account',
  'tlsVersion',
]

/** Parses a text of one kind, holds it to the bounds of its row, and reports what is wrong with it. */
export function checkText(node: SchemaNode, value: unknown, path: string, document: ConfigDocument): unknown {
  const kind = node['x-kind'] as KindName
  if (typeof value !== 'string' && !isMeasuredNumber(kind, value)) return reportKind(kind, value, path, document)
  const result = kinds[kind].parse(String(value))
  if (!result.ok) {
    document.valueProblem(path, result.message, result.hint)
    return undefined
  }
  return withinBounds(node, kind, result.value, path, document) ? result.value : undefined
}

/** A plain number is a size in bytes, a port or a status; where a duration or a share is expected, its parser says which unit is missing. */
function isMeasuredNumber(kind: KindName, value: unknown): boolean {
  return typeof value === 'number' && measuredKinds.includes(kind)
}

function reportKind(kind: KindName, value: unknown, path: string, document: ConfigDocument): undefined {
  const isScalar = typeof value === 'number' || typeof value === 'boolean'
  document.valueProblem(
    path,
    `expected ${withArticle(kinds[kind].label)}, found ${shown(value)}`,
    isScalar ? `write it in quotes: "${value}"` : null,
  )
  return undefined
}

function withinBounds(node: SchemaNode, kind: KindName, value: unknown, path: string, document: ConfigDocument): boolean {
  if (typeof value !== 'number') return true
  const least = node['x-least'] ?? 0
  const most = node['x-most'] ?? Number.POSITIVE_INFINITY
  if (value >= least && value <= most) return true
  const bound = value < least ? `at least ${measure(kind, least)}` : `at most ${measure(kind, most)}`
  document.valueProblem(path, `expected ${bound}, found ${measure(kind, value)}`)
  return false
}

/** A measured value for messages; sizes near a limit are clearer in bytes. */
function measure(kind: KindName, value: number): string {
  if (kind === 'duration') return formatDuration(value)
  if (kind === 'share') return formatShare(value)
  return formatSize(value).endsWith('iB') ? `${formatSize(value)} (${value} bytes)` : `${value} bytes`
}
