import { type CST, isAlias, isMap, isScalar, isSeq, type Node, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml'
import { ControlError } from '../../control/requests.ts'
import type { Environment } from '../environment.ts'
import { entry, type Raw, items as rawItems } from '../raw.ts'
import { readYaml } from '../read-yaml.ts'

/** A config file that is being edited: its text, its nodes with their places, and its values with variables replaced. */
export interface EditedFile {
  text: string
  file: string
  /** Keys and texts stand in quotes. */
  isJson: boolean
  eol: string
  nodes: Node | null
  value: Raw
}

/** One item of `servers`. */
export interface ServerItem {
  node: Node
  /** By which the upstream knows it; null for a name that is looked up. */
  name: string | null
  raw: Raw
}

/** The list `servers` of an upstream as it stands in the file. */
export interface ServerList {
  upstream: string
  node: YAMLSeq
  items: ServerItem[]
}

/** Reads a text that has been loaded as a config without problems. */
export function editedFile(text: string, file: string, env: Environment): EditedFile {
  const { contents } = parseDocument(text, { keepSourceTokens: true, merge: false, uniqueKeys: false })
  return {
    text,
    file,
    isJson: file.toLowerCase().endsWith('.json'),
    eol: text.includes('\r\n') ? '\r\n' : '\n',
    nodes: contents,
    value: { path: '', value: readYaml(text, file, env).value },
  }
}

/** Throws ControlError where another part of the file stands for the list: an edit there would change more than this. */
export function serverList(file: EditedFile, upstream: string): ServerList {
  const node = ['upstreams', upstream, 'servers'].reduce<Node | null>(
    (parent, key) => (isMap(parent) ? valueAt(parent, key) : parent),
    file.nodes,
  )
  if (!isSeq(node)) {
    const alias = isAlias(node) ? ` (*${node.source})` : ''
    throw new ControlError('refused', `the servers of ${upstream} stand elsewhere in ${file.file} and are used by an alias${alias}`)
  }
  const values = rawItems(entry(entry(entry(file.value, 'upstreams'), upstream), 'servers'))
  const items = node.items.map((item, index): ServerItem => {
    const raw = values[index] ?? { path: '', value: null }
    return { node: item as Node, name: nameOf(raw), raw }
  })
  return { upstream, node, items }
}

/** The value of a key; null where there is none. */
export function valueAt(map: YAMLMap, key: string): Node | null {
  const pair = map.items.find(({ key: found }) => isScalar(found) && (found.source === key || String(found.value) === key))
  return (pair?.value as Node | null | undefined) ?? null
}

/** Where a node ends, without comments and line feeds after it. */
export function endOf(node: Node, text: string): number {
  let end = node.range?.[1] ?? 0
  const last = isMap(node) && !node.flow ? node.items.at(-1) : isSeq(node) && !node.flow ? node.items.at(-1) : undefined
  if (last !== undefined) {
    const inner = (isMap(node) ? ((last as { value: Node | null }).value ?? (last as { key: Node }).key) : last) as Node
    end = endOf(inner, text)
  }
  while (end > 0 && /\s/.test(text[end - 1] ?? '')) end -= 1
  return end
}

/** The tokens before an item of a list: its dash or comma, its anchor, comments. */
export function tokensBefore(list: ServerList, index: number): CST.SourceToken[] {
  const token = list.node.srcToken as CST.BlockSequence | CST.FlowCollection | undefined
  return token?.items[index]?.start ?? []
}

function nameOf(raw: Raw): string | null {
  if (typeof raw.value === 'string') return raw.value
  const named = [entry(raw, 'name'), entry(raw, 'address')].find(({ value }) => typeof value === 'string')
  const isListed = entry(raw, 'address').value !== undefined
  return named && isListed ? String(named.value) : null
}
