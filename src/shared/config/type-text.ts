import { formatSize } from '../base/units.ts'
import { type KindName, kinds } from './kinds.ts'
import { nodeOf, type SchemaNode } from './schema-node.ts'

/** What a schema takes, in words, for messages and for the manual: `auto or integer from 1 to 256`. */
export function typeText(schema: SchemaNode): string {
  const node = nodeOf(schema)
  if (node['x-list'] && node.anyOf?.[0]) return `${typeText(node.anyOf[0])}, or a list`
  if (node.anyOf) return joined(node.anyOf.map(typeText))
  if (node.enum) return joined(node.enum.map(String))
  if (node.const !== undefined) return String(node.const)
  if (node['x-kind'] !== undefined) return kindText(node)
  if (node.items) return `list of ${typeText(node.items)}`
  if (node.type === 'object') return node.additionalProperties ? `map of ${typeText(node.additionalProperties)}` : 'map'
  if (node.type === 'boolean') return 'true or false'
  const number = String(node.type)
  return node.maximum === undefined ? number : `${number} from ${node.minimum ?? 0} to ${node.maximum}`
}

function kindText(node: SchemaNode): string {
  const name = node['x-kind'] ?? ''
  if (name === 'function') return 'function'
  const { label } = kinds[name as KindName]
  if (name !== 'size') return label
  const [least, most] = [node['x-least'], node['x-most']]
  if (least === undefined && most === undefined) return label
  return `${label} from ${formatSize(least ?? 0)} to ${formatSize(most ?? Number.MAX_SAFE_INTEGER)}`
}

function joined(words: string[]): string {
  const last = words.at(-1) ?? ''
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`
}

/** `a duration`, `an address`; a list of words to choose from stays as it is. */
export function withArticle(noun: string): string {
  if (
    !/^(integer|number|list|map|function|duration|size|share|percentage|text|file|name|method|path|host|address|server|header|regular|IP|port|protocol|status)\b/.test(
      noun,
    )
  )
    return noun
  return `${/^[aeiouI]/.test(noun) ? 'an' : 'a'} ${noun}`
}
