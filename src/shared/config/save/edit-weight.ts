import { isAlias, isMap, isScalar, type Node, type Pair, Scalar, type YAMLMap } from 'yaml'
import { ControlError } from '../../control/requests.ts'
import { flowMap, scalarText } from './entry-text.ts'
import { type EditedFile, endOf, type ServerItem, valueAt } from './server-list.ts'
import { indentAt, lineEnd, lineStart, type Splice } from './splice.ts'

/** Writes the weight of one server, a number or a percentage; a short form becomes a map. Throws ControlError. */
export function weightSplice(file: EditedFile, item: ServerItem, weight: string | number): Splice {
  const { node } = item
  if (isMap(node)) return inMap(file, node, weight)
  const [start = 0, end = 0] = node.range ?? []
  return {
    start,
    end,
    text: flowMap(
      [
        ['address', { source: addressSource(file, item) }],
        ['weight', weight],
      ],
      file,
    ),
  }
}

/** The short form as it was written, variables and all, as it can stand in braces. */
function addressSource(file: EditedFile, { node, name, raw }: ServerItem): string {
  const [start = 0, end = 0] = node.range ?? []
  const source = file.text.slice(start, end)
  if (isAlias(node)) {
    if (typeof raw.value === 'string') return source
    throw new ControlError('refused', `the server ${name} stands elsewhere in ${file.file} and is used by an alias (${source})`)
  }
  if (!isScalar(node)) return source
  const isQuoted = node.type === Scalar.QUOTE_DOUBLE || node.type === Scalar.QUOTE_SINGLE
  const isOneLine = !/[\r\n]/.test(source)
  // A plain text ends at these in braces.
  if (isOneLine && (isQuoted || (node.type === Scalar.PLAIN && !/[{}[\],#]|: /.test(source)))) return source
  return JSON.stringify(String(node.value))
}

function inMap(file: EditedFile, map: YAMLMap, weight: string | number): Splice {
  const text = scalarText(weight, file)
  const old = valueAt(map, 'weight')
  if (old?.range) return { start: old.range[0], end: old.range[1], text }
  return map.flow ? inBraces(file, map, text) : onOwnLine(file, map, text)
}

/** After the last option, in the way in which that stands there. */
function inBraces(file: EditedFile, map: YAMLMap, weight: string): Splice {
  const last = map.items.at(-1) as Pair<Node, Node | null>
  const [start = 0, keyEnd = 0] = last.key.range ?? []
  const end = endOf(last.value ?? last.key, file.text)
  const isTight = !/\s/.test(file.text.slice(keyEnd, last.value?.range?.[0] ?? keyEnd))
  const indent = indentAt(file.text, start)
  const before = indent === null ? (isTight ? ',' : ', ') : `,${file.eol}${indent}`
  const key = file.isJson ? '"weight"' : 'weight'
  return { start: end, end, text: `${before}${key}:${isTight && file.isJson ? '' : ' '}${weight}` }
}

/** Below the address, whose comment stays with it. */
function onOwnLine(file: EditedFile, map: YAMLMap, weight: string): Splice {
  const [first] = map.items as Pair<Node, Node | null>[]
  const address = valueAt(map, 'address') ?? (first?.key as Node)
  const column = (first?.key.range?.[0] ?? 0) - lineStart(file.text, first?.key.range?.[0] ?? 0)
  const at = lineEnd(file.text, endOf(address, file.text))
  return { start: at, end: at, text: `${file.eol}${' '.repeat(column)}weight: ${weight}` }
}
