import { checkText } from './check-text.ts'
import { type ConfigDocument, unreadable } from './document.ts'
import { itemPath, keyPath } from './key-path.ts'
import { type KindName, kinds } from './kinds.ts'
import { nearest } from './nearest.ts'
import { shown } from './parsed.ts'
import { type CheckedConfig, configSchema } from './schema.ts'
import { nodeOf, type SchemaNode } from './schema-node.ts'
import { typeText, withArticle } from './type-text.ts'

/**
 * Checks a document against the schema and reports every problem in it. The result has defaults filled in and texts parsed;
 * it is whole only when nothing was reported, before and here.
 */
export function checkDocument(document: ConfigDocument): CheckedConfig {
  return check(nodeOf(configSchema), document.value, '', document) as CheckedConfig
}

function check(schema: SchemaNode, value: unknown, path: string, document: ConfigDocument): unknown {
  if (value === unreadable) return undefined
  const node = nodeOf(schema)
  if (node.anyOf) return checkEither(node, node.anyOf, value, path, document)
  if (node['x-kind'] === 'function') return checkFunction(value, path, document)
  if (node['x-kind'] !== undefined) return checkText(node, value, path, document)
  if (node.properties) return checkSection(node, node.properties, value, path, document)
  if (node.type === 'object') return checkMap(node, value, path, document)
  if (node.items) return checkList(node, node.items, value, path, document)
  return checkPlain(node, value, path, document)
}

function checkSection(
  node: SchemaNode,
  properties: Record<string, SchemaNode>,
  value: unknown,
  path: string,
  document: ConfigDocument,
): unknown {
  if (!isMap(value)) return mismatch(node, value, path, document)
  const known = Object.keys(properties)
  const meant = new Set<string>()
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(properties, key)) meant.add(reportUnknownKey(key, known, keyPath(path, key), document) ?? '')
  }
  const result: Record<string, unknown> = {}
  for (const [key, option] of Object.entries(properties)) {
    const isGiven = Object.hasOwn(value, key)
    if (isGiven) result[key] = check(option, value[key], keyPath(path, key), document)
    // A default is written as in the file, so it takes the same way.
    else if (option.default !== undefined) result[key] = check(option, option.default, keyPath(path, key), document)
    else if (node.required?.includes(key) && !meant.has(key)) reportMissing(key, option, path, document)
  }
  return result
}

/** Returns the key that was probably meant. */
function reportUnknownKey(key: string, known: string[], path: string, document: ConfigDocument): string | null {
  const guess = nearest(key, known)
  if (key === '<<') document.keyProblem(path, 'merge keys are not supported', 'repeat the options, or write the config in TypeScript')
  else if (guess !== null) document.keyProblem(path, 'unknown key', `did you mean "${guess}"?`)
  else document.keyProblem(path, 'unknown key', `known here: ${known.join(', ')}`)
  return guess
}

function reportMissing(key: string, option: SchemaNode, path: string, document: ConfigDocument): void {
  document.keyProblem(path, `"${key}" is missing`, `expected ${withArticle(typeText(option))}`)
}

function checkMap(node: SchemaNode, value: unknown, path: string, document: ConfigDocument): unknown {
  const item = node.additionalProperties
  if (!isMap(value) || !item) return mismatch(node, value, path, document)
  if (Object.keys(value).length < (node.minProperties ?? 0)) document.valueProblem(path, 'expected at least one entry, found none')
  const written = new Map<string, string>()
  const entries = Object.entries(value).map(([key, entry]) => {
    const at = keyPath(path, key)
    const name = checkedKey(node['x-key'] as KindName, key, at, document)
    const earlier = written.get(name.toLowerCase())
    const what = sameKeys(node)
    if (earlier !== undefined && what !== null) document.keyProblem(at, `the same ${what} as "${earlier}"`, 'give it once')
    written.set(name.toLowerCase(), key)
    return [name, check(item, entry, at, document)] as const
  })
  return Object.fromEntries(entries)
}

function checkedKey(kind: KindName, key: string, path: string, document: ConfigDocument): string {
  const result = kinds[kind].parse(key)
  if (!result.ok) document.keyProblem(path, result.message, result.hint)
  return result.ok ? String(result.value) : key
}

/** What a map's keys name where several ways to write one mean the same, and one of two entries would be lost; else null. */
function sameKeys(node: SchemaNode): string | null {
  if (node['x-key'] === 'tlvType') return 'type'
  return ['headerName', 'editedHeader', 'answerHeader', 'checkHeader'].includes(node['x-key'] ?? '') ? 'header' : null
}

function checkList(node: SchemaNode, item: SchemaNode, value: unknown, path: string, document: ConfigDocument): unknown {
  if (!Array.isArray(value)) return mismatch(node, value, path, document)
  if (value.length < (node.minItems ?? 0)) document.valueProblem(path, 'expected at least one entry, found an empty list')
  return value.map((entry: unknown, index) => check(item, entry, itemPath(path, index), document))
}

function checkEither(node: SchemaNode, branches: SchemaNode[], value: unknown, path: string, document: ConfigDocument): unknown {
  const exact = branches.find((branch) => branch.const !== undefined && branch.const === value)
  const fitting = branches.find((branch) => branch.const === undefined && takes(nodeOf(branch), value, document.expanded.has(path)))
  // A text that is none of the words is judged by the form beside them: "nonsense" as a size, not as `none`.
  const chosen = exact ?? fitting
  if (!chosen || value === null) return mismatch(node, value, path, document)
  if (chosen.const !== undefined) return value
  const words = branches.flatMap((branch) => (typeof branch.const === 'string' ? [branch.const] : []))
  const word = typeof value === 'string' ? nearest(value, words) : null
  if (word !== null) {
    document.valueProblem(path, `expected ${withArticle(typeText(node))}, found ${shown(value)}`, `did you mean "${word}"?`)
    return undefined
  }
  const result = check(chosen, value, path, document)
  return node['x-list'] && chosen.items === undefined ? [result] : result
}

/** Whether a branch is the one that such a value is meant for. */
function takes(node: SchemaNode, value: unknown, isExpanded: boolean): boolean {
  if (Array.isArray(value)) return node.items !== undefined
  if (isMap(value)) return node.type === 'object'
  if (typeof value === 'boolean') return node.type === 'boolean'
  if (typeof value === 'function' || node['x-kind'] === 'function') return typeof value === node['x-kind']
  const isNumber = node.type === 'integer' || node.type === 'number'
  if (typeof value !== 'string') return isNumber || node['x-kind'] !== undefined
  return node['x-kind'] !== undefined || node.enum !== undefined || (isNumber && isExpanded && typeof unquoted(value) === 'number')
}

function checkFunction(value: unknown, path: string, document: ConfigDocument): unknown {
  if (typeof value === 'function') return value
  document.valueProblem(path, `expected a function, found ${shown(value)}`, 'only a TypeScript or JavaScript config can have one')
  return undefined
}

function checkPlain(node: SchemaNode, written: unknown, path: string, document: ConfigDocument): unknown {
  const value = document.expanded.has(path) ? unquoted(written) : written
  if (node.enum) return node.enum.includes(value as string) ? value : mismatch(node, value, path, document)
  if (node.const !== undefined) return value === node.const ? value : mismatch(node, value, path, document)
  if (node.type === 'boolean') return typeof value === 'boolean' ? value : mismatch(node, value, path, document)
  return isNumberOf(node, value) ? value : mismatch(node, value, path, document)
}

function isNumberOf(node: SchemaNode, value: unknown): boolean {
  const isKind = node.type === 'integer' ? Number.isInteger(value) : Number.isFinite(value)
  return isKind && Number(value) >= (node.minimum ?? 0) && Number(value) <= (node.maximum ?? Number.MAX_SAFE_INTEGER)
}

/** What came out of the environment is text; where a number or a boolean is expected it is read as one. */
function unquoted(value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (value === 'true' || value === 'false') return value === 'true'
  return /^-?\d{1,15}(\.\d{1,6})?$/.test(value) ? Number(value) : value
}

function mismatch(node: SchemaNode, value: unknown, path: string, document: ConfigDocument): undefined {
  const words = [node, ...(node.anyOf ?? [])].flatMap((part) => [...(part.enum ?? []), ...(part.const === undefined ? [] : [part.const])])
  const guess =
    typeof value === 'string'
      ? nearest(
          value,
          words.filter((word) => typeof word === 'string'),
        )
      : null
  document.valueProblem(
    path,
    `expected ${withArticle(typeText(node))}, found ${shown(value)}`,
    guess === null ? null : `did you mean "${guess}"?`,
  )
  return undefined
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
