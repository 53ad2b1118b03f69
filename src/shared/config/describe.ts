import { configSchema, definitions } from './schema.ts'
import { nodeOf, type SchemaNode } from './schema-node.ts'
import { typeText } from './type-text.ts'

const intro = `# Configuration reference

Generated from the schema; do not edit. \`weir schema\` prints the same as JSON Schema, \`weir check\` checks a file.

A config is YAML, JSON, or TypeScript with \`defineConfig\`. Durations are written \`250ms\`, \`2s\`, \`5m\`, \`1h\`; sizes \`64KiB\`, \`1MiB\`, \`10MB\` or a
number of bytes; shares \`20%\`. In every text \`\${NAME}\` and \`\${NAME:-default}\` are replaced from the environment, and \`$\${\` is a literal \`\${\`.
In key paths \`*\` is a name of your choice and \`[]\` an item of a list.

"Applies" says when a changed value takes effect after a reload: \`live\` at once, \`next-exchange\` from the next request, \`new-connections\` for connections
accepted afterwards, \`drains\` at once for what is new while what runs finishes as it was and is gone then, \`restart\` only when weir is started
again, or with \`weir upgrade\`. [Reload](../reload.md) has more.
`

/** The JSON Schema (2020-12) of a YAML or JSON config, for editors and other tools. */
export function jsonSchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'weir configuration',
    ...withoutFunctions(nodeOf(configSchema)),
    $defs: Object.fromEntries(Object.entries(definitions).map(([name, schema]) => [name, withoutFunctions(nodeOf(schema))])),
  }
}

/** The manual page of all options: a table for each section. */
export function configMarkdown(): string {
  const tables = merged(sections(nodeOf(configSchema), '')).map(({ paths, node }) => table(paths, node))
  return `${[intro, ...tables].join('\n')}`
}

/** A plain copy; functions cannot be written in YAML or JSON. */
function withoutFunctions(schema: SchemaNode): Record<string, unknown> {
  const copy = JSON.parse(JSON.stringify(schema)) as SchemaNode
  dropFunctions(copy)
  return copy as Record<string, unknown>
}

function dropFunctions(node: SchemaNode): void {
  for (const [key, option] of Object.entries(node.properties ?? {})) {
    if (option['x-kind'] === 'function' && node.properties) delete node.properties[key]
  }
  if (node.anyOf) node.anyOf = node.anyOf.filter((branch) => branch['x-kind'] !== 'function')
  for (const child of children(node)) dropFunctions(child.node)
}

interface Child {
  suffix: string
  node: SchemaNode
}

function children(node: SchemaNode): Child[] {
  const named = Object.entries(node.properties ?? {}).map(([key, child]) => ({ suffix: `.${key}`, node: child }))
  const free = node.additionalProperties ? [{ suffix: '.*', node: node.additionalProperties }] : []
  const listed = node.items ? [{ suffix: '[]', node: node.items }] : []
  const either = (node.anyOf ?? []).map((child) => ({ suffix: '', node: child }))
  return [...named, ...free, ...listed, ...either]
}

/** Every map with fixed keys, outermost first. A match within a match is described once. */
function sections(node: SchemaNode, path: string, open: SchemaNode[] = []): { path: string; node: SchemaNode }[] {
  const own = node.properties ? [{ path, node }] : []
  const inner = children(node).flatMap((child) => {
    const target = nodeOf(child.node)
    return open.includes(target) ? [] : sections(target, `${path}${child.suffix}`.replace(/^\./, ''), [...open, node, target])
  })
  return [...own, ...inner]
}

/** The same section at several places is one table. */
function merged(found: { path: string; node: SchemaNode }[]): { paths: string[]; node: SchemaNode }[] {
  const byProperties = new Map<unknown, { paths: string[]; node: SchemaNode }>()
  for (const { path, node } of found) {
    const first = byProperties.get(node.properties)
    if (first) first.paths.push(path)
    else byProperties.set(node.properties, { paths: [path], node })
  }
  return [...byProperties.values()]
}

function table(paths: string[], node: SchemaNode): string {
  const rows = Object.entries(node.properties ?? {}).map(([key, option]) => row(key, option, node.required?.includes(key) ?? false))
  const head = ['| Option | Type | Default | Applies | Meaning |', '|---|---|---|---|---|']
  const also =
    paths.length > 1
      ? [
          `Also at ${paths
            .slice(1)
            .map((path) => `\`${path}\``)
            .join(', ')}.`,
          '',
        ]
      : []
  return [`## ${paths[0] === '' ? 'The file' : `\`${paths[0]}\``}`, '', ...also, ...head, ...rows, ''].join('\n')
}

function row(key: string, option: SchemaNode, isRequired: boolean): string {
  const cells = [
    `\`${key}\``,
    typeText(option),
    isRequired ? 'required' : defaultText(option),
    option['x-reload'] ?? '',
    option.description ?? '',
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function defaultText(option: SchemaNode): string {
  const value = option.default
  if (value === undefined || value === '') return ''
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map((item) => `\`${String(item)}\``).join(', ')
  if (typeof value !== 'object' || value === null) return `\`${String(value)}\``
  const pairs = Object.entries(value).map(([key, item]) => `${key}: ${String(item)}`)
  return pairs.length === 0 ? '' : `\`{ ${pairs.join(', ')} }\``
}
