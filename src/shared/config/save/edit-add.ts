import type { CST } from 'yaml'
import type { ServerConfig } from '../model.ts'
import { inlineEntry, isBlockStyle, optionsOf, scalarText } from './entry-text.ts'
import { type EditedFile, endOf, type ServerList, tokensBefore } from './server-list.ts'
import { indentAt, lineEnd, lineStart, nextLine, type Splice } from './splice.ts'

/** Writes servers behind the last one of a list, in the style of their neighbours. */
export function addSplices(file: EditedFile, list: ServerList, servers: readonly ServerConfig[]): Splice[] {
  return list.node.flow ? inBrackets(file, list, servers) : [onOwnLines(file, list, servers)]
}

function onOwnLines(file: EditedFile, list: ServerList, servers: readonly ServerConfig[]): Splice {
  const last = list.items.length - 1
  const dash = tokensBefore(list, last).find(({ type }) => type === 'seq-item-ind')?.offset ?? 0
  const indent = ' '.repeat(dash - lineStart(file.text, dash))
  const lines = servers.flatMap((server) => blockEntry(file, list, server)).map((line) => `${indent}${line}`)
  const at = nextLine(file.text, endOf((list.items[last] as ServerList['items'][number]).node, file.text))
  const isEnded = file.text[at - 1] === '\n'
  const text = lines.map((line) => (isEnded ? `${line}${file.eol}` : `${file.eol}${line}`)).join('')
  return { start: at, end: at, text }
}

function blockEntry(file: EditedFile, list: ServerList, server: ServerConfig): string[] {
  const options = optionsOf(server, list)
  if (!isBlockStyle(options, list)) return [`- ${inlineEntry(options, list, file)}`]
  return options.map(([key, value], index) => `${index === 0 ? '- ' : '  '}${key}: ${scalarText(value, file)}`)
}

/** Where the last item has a line of its own, so have the new ones. */
function inBrackets(file: EditedFile, list: ServerList, servers: readonly ServerConfig[]): Splice[] {
  const { text, eol } = file
  const last = list.items.length - 1
  const node = (list.items[last] as ServerList['items'][number]).node
  const entries = servers.map((server) => inlineEntry(optionsOf(server, list), list, file))
  const end = endOf(node, text)
  const indent = indentAt(text, itemStart(list, last))
  const comma = trailingComma(list)
  if (indent === null) return [insert(end, `, ${entries.join(', ')}`)]
  const isLineFree = /^\s*(#.*)?$/.test(text.slice((comma ?? end - 1) + 1, lineEnd(text, end)))
  if (comma !== null && isLineFree) return [insert(lineEnd(text, comma), entries.map((one) => `${eol}${indent}${one},`).join(''))]
  const added = entries.join(`,${eol}${indent}`)
  // A comment behind the last item stays there.
  return isLineFree ? [insert(end, ','), insert(lineEnd(text, end), `${eol}${indent}${added}`)] : [insert(end, `,${eol}${indent}${added}`)]
}

function insert(at: number, text: string): Splice {
  return { start: at, end: at, text }
}

/** Where an item begins, its anchor included. */
export function itemStart(list: ServerList, index: number): number {
  const anchor = tokensBefore(list, index).find(({ type }) => type === 'anchor' || type === 'tag')
  return anchor?.offset ?? list.items[index]?.node.range?.[0] ?? 0
}

/** The comma behind the last item of a list in brackets; null without one. */
export function trailingComma(list: ServerList): number | null {
  const token = list.node.srcToken as CST.FlowCollection
  return token.items[list.items.length]?.start.find(({ type }) => type === 'comma')?.offset ?? null
}
