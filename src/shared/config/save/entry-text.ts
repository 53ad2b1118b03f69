import { isMap } from 'yaml'
import type { ServerConfig } from '../model.ts'
import { entry } from '../raw.ts'
import { isWeightShare } from '../weight.ts'
import type { EditedFile, ServerList } from './server-list.ts'

type Options = [key: string, value: string | number][]

/** What is written of a server that is added: what is not as by default. */
export function optionsOf(server: ServerConfig, list: ServerList): Options {
  const { name, address, weight, maxConnections, tier, zone } = server
  const isShare = list.items.some(({ raw }) => isWeightShare(entry(raw, 'weight').value))
  return [
    ...(name === address.text ? [] : [['name', name] as [string, string]]),
    ['address', address.text],
    ...(isShare ? [['weight', `${weight}%`] as [string, string]] : weight === 1 ? [] : [['weight', weight] as [string, number]]),
    ...(maxConnections === null ? [] : [['maxConnections', maxConnections] as [string, number]]),
    ...(tier === 0 ? [] : [['tier', tier] as [string, number]]),
    ...(zone === null ? [] : [['zone', zone] as [string, string]]),
  ]
}

/** An entry in one line: its address alone where that says all and neighbours are written so, else a map in braces. */
export function inlineEntry(options: Options, list: ServerList, file: EditedFile): string {
  const only = options.length === 1 ? options[0] : undefined
  const isShort = list.items.some(({ node }) => !isMap(node))
  return only && isShort ? scalarText(only[1], file) : flowMap(options, file)
}

/** Whether the neighbours are maps over several lines. */
export function isBlockStyle(options: Options, list: ServerList): boolean {
  const last = list.items.findLast(({ node }) => isMap(node))
  const isShort = options.length === 1 && list.items.some(({ node }) => !isMap(node))
  return last !== undefined && isMap(last.node) && !last.node.flow && !isShort
}

/** `{ address: 10.0.0.1:80, weight: 2 }`. Values are texts of the file or plain values. */
export function flowMap(options: readonly [key: string, value: string | number | { source: string }][], file: EditedFile): string {
  const pairs = options.map(([key, value]) => {
    const text = typeof value === 'object' ? value.source : scalarText(value, file)
    return file.isJson ? `${JSON.stringify(key)}: ${text}` : `${key}: ${text}`
  })
  return `{ ${pairs.join(', ')} }`
}

/** A value as it can stand anywhere, in quotes where YAML needs them and in JSON. */
export function scalarText(value: string | number, file: EditedFile): string {
  if (typeof value === 'number') return String(value)
  const isWord = /^[A-Za-z_/][\w./:@-]*$/.test(value) && !/^(true|false|null|yes|no|on|off|y|n)$|:$/i.test(value)
  const isPlain = isWord || /^\d+\.\d+\.\d+\.\d+(:\d+)?$/.test(value) || /^\d+(\.\d+)?%$/.test(value)
  return isPlain && !file.isJson ? value : JSON.stringify(value)
}
