import type { TSchema } from 'typebox'
import type { Reload } from './schema/option.ts'
import { definitions } from './schema.ts'

/** A schema as the checker and the printers read it: JSON Schema with our own `x-` keywords. */
export interface SchemaNode {
  type?: string | string[]
  properties?: Record<string, SchemaNode>
  required?: string[]
  additionalProperties?: SchemaNode | false
  items?: SchemaNode
  anyOf?: SchemaNode[]
  enum?: (string | number)[]
  const?: string | number | boolean
  minimum?: number
  maximum?: number
  minItems?: number
  minProperties?: number
  pattern?: string
  description?: string
  default?: unknown
  $ref?: string
  /** The kind of a text, see kinds.ts, or 'function'. */
  'x-kind'?: string
  /** The kind of a map's keys. */
  'x-key'?: string
  /** One value or a list of them. */
  'x-list'?: boolean
  'x-least'?: number
  'x-most'?: number
  'x-reload'?: Reload
}

/** A schema as a node; a reference as what it refers to. */
export function nodeOf(schema: TSchema | SchemaNode): SchemaNode {
  const node = schema as SchemaNode
  if (node.$ref === undefined) return node
  const name = node.$ref.replace('#/$defs/', '')
  return definitions[name as keyof typeof definitions] as unknown as SchemaNode
}
