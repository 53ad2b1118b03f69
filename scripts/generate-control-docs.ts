/**
 * Writes docs/reference/control.md and control.schema.json from the verbs and their answers:
 * `node --import tsx scripts/generate-control-docs.ts`.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { haproxyCommands } from '../src/primary/control/haproxy/answer.ts'
import { statColumns } from '../src/primary/control/haproxy/stat-columns.ts'
import { controlLimits } from '../src/primary/control/limits.ts'
import { formatDuration, formatSize } from '../src/shared/base/units.ts'
import * as shapes from '../src/shared/control/data.ts'
import * as liveShapes from '../src/shared/control/live-data.ts'
import * as recordShapes from '../src/shared/control/record-data.ts'
import { controlErrors, schemaName, type VerbName, verbs } from '../src/shared/control/requests.ts'

/** A schema as it is printed. */
interface Node {
  type?: string
  properties?: Record<string, Node>
  required?: string[]
  additionalProperties?: Node | false
  patternProperties?: Record<string, Node>
  items?: Node | Node[]
  anyOf?: Node[]
  enum?: string[]
  minimum?: number
  maximum?: number
  description?: string
}

const names = Object.keys(verbs) as VerbName[]
const { windowNames: _windows, ...liveNamed } = liveShapes
/** The shapes that have a name, by their identity: what is used inside another one is a reference to it. */
const shapeNames = new Map<Node, string>(
  Object.entries({ ...shapes, ...liveNamed, ...recordShapes }).map(([name, schema]) => [schema as Node, name]),
)

/** The JSON Schema (2020-12) of every line of an answer, and of the requests. */
export function controlSchema(): Record<string, unknown> {
  const answers = names.map((verb) => [`answer.${verb}`, envelope(schemaName(verb), verbs[verb].data as Node)] as const)
  const requests = names.map((verb) => [`request.${verb}`, requestSchema(verb)] as const)
  const common = [
    ['progress', envelope('weir.progress/1', { anyOf: [verbs.wait.data as Node, recordShapes.TailProgress as unknown as Node] })],
    ['error', errorSchema()],
  ] as const
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'weir control socket',
    description: 'One line of an answer. The requests are request.<verb> among the definitions.',
    anyOf: [...answers, ...common].map(([name]) => ({ $ref: `#/$defs/${name}` })),
    $defs: Object.fromEntries([
      ...answers,
      ...common,
      ...requests,
      ...[...shapeNames].map(([schema, name]) => [name, withReferences(schema, true)] as const),
    ]),
  }
}

/** The manual page of the control socket. */
export function controlMarkdown(): string {
  const overview = names.map((verb) => `| [\`${verb}\`](#${verb}) | ${verbs[verb].isChange ? 'yes' : ''} | ${verbs[verb].text} |`)
  const parts = [
    intro(),
    '## Verbs\n',
    '| Verb | Change | Meaning |\n|---|---|---|',
    overview.join('\n'),
    '',
    ...names.map(verbText),
    errorText(),
    '## Answers\n',
    ...[...shapeNames].map(([schema, name]) => shapeText(name, schema)),
    haproxyText(),
  ]
  return parts.join('\n')
}

function intro(): string {
  const { clients, lineBytes, lineMs, idleMs, unreadMs } = controlLimits
  return `# The control socket

Generated from the verbs; do not edit. The commands of \`weir\` use it, and so may any program of the same user: it is a unix socket that only its
owner may open. Its path is \`control.socket\` of the [config](config.md).

A request is a line of JSON: \`{"verb":"drain","server":"api/a"}\`. It is answered with lines of JSON: any number of \`weir.progress/1\`, then one
that is the answer.

\`\`\`json
{"schema":"weir.drain/1","generation":12,"time":"2026-01-31T12:00:00.000Z","data":{"changed":true,"dryRun":false,"what":"api/a is draining: 3 in flight","servers":[]}}
{"schema":"weir.error/1","generation":12,"time":"2026-01-31T12:00:00.000Z","error":{"code":"refused","message":"api/a is the only server of api, …","exit":5}}
\`\`\`

\`generation\` grows with every change of any kind. A change is answered when every worker has applied it: no new request goes by what was before.
Requests of one connection are answered in order; several connections are served at once. Fields may be added to answers, and do not change their
meaning. The same as JSON Schema: [control.schema.json](control.schema.json).

Every change leaves a line in the log, with who asked and what came of it: \`control: drain api/a (pid 123, uid 0): changed\`. With \`dryRun\` a change
says what it would do and does nothing.

Clients cannot keep each other away, or cost more than a little: a line has at most ${formatSize(lineBytes)} and ends within ${formatDuration(lineMs)}; a client without a
request for ${formatDuration(idleMs)}, or that does not read its answers for ${formatDuration(unreadMs)}, is closed. At most ${clients} are connected: for one more the one that has been
quiet for longest is closed. A client that goes away ends its \`wait\`.
`
}

function verbText(verb: VerbName): string {
  const { text, request, data } = verbs[verb]
  return [
    `### \`${verb}\`\n`,
    `${text}. Answers [\`${shapeNames.get(data as Node)}\`](#${shapeNames.get(data as Node)?.toLowerCase()}) as \`${schemaName(verb)}\`.\n`,
    fieldTable(request as Node),
  ].join('\n')
}

function shapeText(name: string, schema: Node): string {
  return [`### \`${name}\`\n`, ...(schema.description === undefined ? [] : [`${schema.description}.\n`]), fieldTable(schema)].join('\n')
}

function fieldTable({ properties = {}, required = [] }: Node): string {
  const fields = Object.entries(properties)
  if (fields.length === 0) return 'It takes no fields.\n'
  const rows = fields.map(([name, field]) => {
    const type = `${typeText(field)}${required.includes(name) ? '' : ', optional'}`
    return `| \`${name}\` | ${type} | ${field.description ?? ''} |`
  })
  return ['| Field | Type | Meaning |', '|---|---|---|', ...rows, ''].join('\n')
}

function typeText(node: Node): string {
  const name = shapeNames.get(node)
  if (name !== undefined) return `[${name}](#${name.toLowerCase()})`
  if (node.anyOf) return node.anyOf.map(typeText).join(' or ')
  if (node.enum) return node.enum.map((word) => `\`${word}\``).join(', ')
  if (Array.isArray(node.items)) return `[${node.items.map(typeText).join(', ')}]`
  if (node.items) return `list of ${typeText(node.items)}`
  if (node.patternProperties) return `map of ${Object.values(node.patternProperties).map(typeText).join(', ')}`
  const range = [node.minimum === undefined ? '' : `from ${node.minimum}`, node.maximum === undefined ? '' : `to ${node.maximum}`]
  return [node.type ?? 'any', ...range].filter((part) => part !== '').join(' ')
}

function errorText(): string {
  const rows = Object.entries(controlErrors).map(([code, exit]) => `| \`${code}\` | ${exit} |`)
  return [
    '## Errors\n',
    'The message is for people. A command ends with the exit code.\n',
    '| Code | Exit |',
    '|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function haproxyText(): string {
  const rows = haproxyCommands.map(({ usage, text }) => `- \`${usage.replace(/ +\(DEPRECATED\)/, '')}\`: ${text}`)
  return `## HAProxy's words

A line that does not begin with \`{\` is one or more of HAProxy's commands, joined by \`;\`, for the tools that exist. It is answered as HAProxy does:
text, then an empty line; then the connection is closed. An upstream is a backend, a listener a frontend.

${rows.join('\n')}

\`show stat\` has HAProxy's first ${statColumns.length} columns in its order: ${statColumns.map((column) => `\`${column}\``).join(', ')}. Those that nobody counts here are empty.
\`econ\` counts every attempt that failed. What would leave an upstream without a usable server is refused here, too: the word \`force\` at the end
of the line does it all the same. \`enable\` and \`disable\` set \`ready\` and \`maint\`.
`
}

function requestSchema(verb: VerbName): Record<string, unknown> {
  const { properties = {}, required = [], ...rest } = withReferences(verbs[verb].request as Node) as Node
  return { ...rest, properties: { verb: { const: verb }, ...properties }, required: ['verb', ...required] }
}

function envelope(schema: string, data: Node): Record<string, unknown> {
  return {
    type: 'object',
    properties: { schema: { const: schema }, generation: { type: 'number' }, time: { type: 'string' }, data: withReferences(data) },
    required: ['schema', 'generation', 'time', 'data'],
  }
}

function errorSchema(): Record<string, unknown> {
  const error = {
    type: 'object',
    properties: { code: { enum: Object.keys(controlErrors) }, message: { type: 'string' }, exit: { type: 'integer' } },
    required: ['code', 'message', 'exit'],
  }
  const { properties, ...rest } = envelope('weir.error/1', {})
  const { data: _, ...stamp } = properties as Record<string, unknown>
  return { ...rest, properties: { ...stamp, error }, required: ['schema', 'generation', 'time', 'error'] }
}

/** A plain copy. `isDefinition`: of the shape itself, not of a place where it is used. */
function withReferences(value: unknown, isDefinition = false): unknown {
  if (Array.isArray(value)) return value.map((item) => withReferences(item))
  if (typeof value !== 'object' || value === null) return value
  const name = shapeNames.get(value as Node)
  if (name !== undefined && !isDefinition) return { $ref: `#/$defs/${name}` }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withReferences(item)]))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const reference = new URL('../docs/reference/', import.meta.url)
  writeFileSync(new URL('control.md', reference), controlMarkdown())
  writeFileSync(new URL('control.schema.json', reference), `${JSON.stringify(controlSchema(), null, 2)}\n`)
}
