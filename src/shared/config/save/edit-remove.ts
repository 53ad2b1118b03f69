import { ControlError } from '../../control/requests.ts'
import { itemStart, trailingComma } from './edit-add.ts'
import { type EditedFile, endOf, type ServerItem, type ServerList, tokensBefore } from './server-list.ts'
import { indentAt, lineEnd, lineStart, nextLine, type Splice } from './splice.ts'

/** Deletes items of a list with the comments behind them; comments above them stay. Throws ControlError. */
export function removeSplices(file: EditedFile, list: ServerList, gone: readonly ServerItem[]): Splice[] {
  return list.node.flow ? fromBrackets(file, list, gone) : gone.map((item) => ownLines(file, list, item))
}

function ownLines(file: EditedFile, list: ServerList, item: ServerItem): Splice {
  const dash = tokensBefore(list, list.items.indexOf(item)).find(({ type }) => type === 'seq-item-ind')?.offset ?? 0
  if (indentAt(file.text, dash) === null)
    throw new ControlError('refused', `the server ${item.name} does not stand in lines of its own in ${file.file}`)
  return { start: lineStart(file.text, dash), end: nextLine(file.text, endOf(item.node, file.text)), text: '' }
}

/** With whole lines where items have their own, else from one item to the next, so that commas and spaces stay right. */
function fromBrackets(file: EditedFile, list: ServerList, gone: readonly ServerItem[]): Splice[] {
  const kept = list.items.map((item) => !gone.includes(item))
  const haveLines = gone.every((item) => hasOwnLines(file, list, list.items.indexOf(item)))
  const indices = gone.map((item) => list.items.indexOf(item)).toSorted((a, b) => a - b)
  if (!haveLines) return indices.map((index) => upToNeighbour(file, list, { index, isFirst: !kept.slice(0, index).includes(true) }))
  const lines = indices.map((index) => ({
    start: lineStart(file.text, itemStart(list, index)),
    end: lineAfter(file, list, index),
    text: '',
  }))
  const last = kept.lastIndexOf(true)
  const isCommaLeft = last < list.items.length - 1 && trailingComma(list) === null
  const comma = isCommaLeft ? tokensBefore(list, last + 1).find(({ type }) => type === 'comma')?.offset : undefined
  const isInLines = lines.some(({ start, end }) => comma !== undefined && comma >= start && comma < end)
  return comma === undefined || isInLines ? lines : [...lines, { start: comma, end: comma + 1, text: '' }]
}

function upToNeighbour(file: EditedFile, list: ServerList, { index, isFirst }: { index: number; isFirst: boolean }): Splice {
  const node = (at: number) => (list.items[at] as ServerItem).node
  if (isFirst) return { start: itemStart(list, index), end: itemStart(list, index + 1), text: '' }
  return { start: endOf(node(index - 1), file.text), end: endOf(node(index), file.text), text: '' }
}

function hasOwnLines(file: EditedFile, list: ServerList, index: number): boolean {
  const end = endOf((list.items[index] as ServerItem).node, file.text)
  return indentAt(file.text, itemStart(list, index)) !== null && /^\s*,?\s*(#.*)?$/.test(file.text.slice(end, lineEnd(file.text, end)))
}

function lineAfter(file: EditedFile, list: ServerList, index: number): number {
  return nextLine(file.text, endOf((list.items[index] as ServerItem).node, file.text))
}
