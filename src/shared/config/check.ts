import { checkText } from './check-text.ts'
import { type ConfigDocument, unreadable } from './document.ts'
import { itemPath, keyPath } from './key-path.ts'
import { type KindName, kinds } from './kinds.ts'
import { nearest } from './nearest.ts'
import { shown } from './parsed.ts'
import { futureOption } from './schema/future.ts'
import { type CheckedConfig, configSchema } from './schema.ts'
import { nodeOf, type SchemaNode } from './schema-node.ts'
import { typeText, withArticle } from './type-text.ts'

/** Where the checker is: `path` as messages name it, `at` with `*` for names and `[]` for items, as future.ts does. */
interface Spot {
  path: string
  at: string
}

/**
 * Checks a document against the schema and reports every problem in it. The result has defaults filled in and texts parsed;
 * it is whole only when nothing was reported, before and here.
 */
export function checkDocument(document: ConfigDocument): CheckedConfig {
  return check(nodeOf(configSchema), document.value, { path: '', at: '' }, document) as CheckedConfig
}

function check(schema: SchemaNode, value: unknown, spot: Spot, document: ConfigDocument): unknown {
  if (value === unreadable) return undefined
  const node = nodeOf(schema)
  if (isFuture(node, value, spot, document)) return undefined
  if (node.anyOf) return checkEither(node, node.anyOf, value, spot, document)
  if (node['x-kind'] === 'function') return checkFunction(value, spot, document)
  if (node['x-kind'] !== undefined) return checkText(node, value, spot.path, document)
  if (node.properties) return checkSection(node, node.properties, value, spot, document)
  if (node.type === 'object') return checkMap(node, value, spot, document)
  if (node.items) return checkList(node, node.items, value, spot, document)
  return checkPlain(node, value, spot, document)
}

/** A value that a later version takes is refused as such, unless this one takes it already. */
function isFuture(node: SchemaNode, value: unknown, spot: Spot, document: ConfigDocument): boolean {
  if (spot.at === '' || !futureOption(spot.at, value) || node.enum?.includes(value as string)) return false
  const what = typeof value === 'string' ? `${shown(value)} is not available` : 'not available'
  const accepted = node.enum?.map((word) => JSON.stringify(word)).join(' or ')
  document.valueProblem(
    spot.path,
    `${what} in this version of weir`,
    accepted === undefined ? 'remove it' : `remove it, or write ${accepted}`,
  )
  return true
}

function checkSection(
  node: SchemaNode,
  properties: Record<string, SchemaNode>,
  value: unknown,
  spot: Spot,
  document: ConfigDocument,
): unknown {
  if (!isMap(value)) return mismatch(node, value, spot, document)
  const known = Object.keys(properties)
  const meant = new Set<string>()
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(properties, key)) meant.add(reportUnknownKey(key, known, below(spot, key), document) ?? '')
  }
  const result: Record<string, unknown> = {}
  for (const [key, option] of Object.entries(properties)) {
    const isGiven = Object.hasOwn(value, key)
    if (isGiven) result[key] = check(option, value[key], below(spot, key), document)
    // A default is written as in the file, so it takes the same way.
    else if (option.default !== undefined) result[key] = check(option, option.default, below(spot, key), document)
    else if (node.required?.includes(key) && !meant.has(key)) reportMissing(key, option, spot, document)
  }
  return result
}

/** Returns the key that was probably meant. */
function reportUnknownKey(key: string, known: string[], spot: Spot, document: ConfigDocument): string | null {
  if (futureOption(spot.at, undefined)) {
    document.keyProblem(spot.path, 'not available in this version of weir', 'remove it')
    return null
  }
  const guess = nearest(key, known)
  if (key === '<<') document.keyProblem(spot.path, 'merge keys are not supported', 'repeat the options, or write the config in TypeScript')
  else if (guess !== null) document.keyProblem(spot.path, 'unknown key', `did you mean "${guess}"?`)
  else document.keyProblem(spot.path, 'unknown key', `known here: ${known.join(', ')}`)
  return guess
}

function reportMissing(key: string, option: SchemaNode, spot: Spot, document: ConfigDocument): void {
  document.keyProblem(spot.path, `"${key}" is missing`, `expected ${withArticle(typeText(option))}`)
}

function checkMap(node: SchemaNode, value: unknown, spot: Spot, document: ConfigDocument): unknown {
  const item = node.additionalProperties
  if (!isMap(value) || !item) return mismatch(node, value, spot, document)
  if (Object.keys(value).length < (node.minProperties ?? 0)) document.valueProblem(spot.path, 'expected at least one entry, found none')
  const written = new Map<string, string>()
  const entries = Object.entries(value).map(([key, entry]) => {
    const path = keyPath(spot.path, key)
    const name = checkedKey(node['x-key'] as KindName, key, path, document)
    const earlier = written.get(name.toLowerCase())
    const what = sameKeys(node)
    if (earlier !== undefined && what !== null) document.keyProblem(path, `the same ${what} as "${earlier}"`, 'give it once')
    written.set(name.toLowerCase(), key)
    return [name, check(item, entry, { path, at: `${spot.at}.*` }, document)] as const
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

function checkList(node: SchemaNode, item: SchemaNode, value: unknown, spot: Spot, document: ConfigDocument): unknown {
  if (!Array.isArray(value)) return mismatch(node, value, spot, document)
  if (value.length < (node.minItems ?? 0)) document.valueProblem(spot.path, 'expected at least one entry, found an empty list')
  return value.map((entry: unknown, index) => check(item, entry, { path: itemPath(spot.path, index), at: `${spot.at}[]` }, document))
}

function checkEither(node: SchemaNode, branches: SchemaNode[], value: unknown, spot: Spot, document: ConfigDocument): unknown {
  const exact = branches.find((branch) => branch.const !== undefined && branch.const === value)
  const fitting = branches.find((branch) => branch.const === undefined && takes(nodeOf(branch), value, document.expanded.has(spot.path)))
  // A text that is none of the words is judged by the form beside them: "nonsense" as a size, not as `none`.
  const chosen = exact ?? fitting
  if (!chosen || value === null) return mismatch(node, value, spot, document)
  if (chosen.const !== undefined) return value
  const words = branches.flatMap((branch) => (typeof branch.const === 'string' ? [branch.const] : []))
  const word = typeof value === 'string' ? nearest(value, words) : null
  if (word !== null) {
    document.valueProblem(spot.path, `expected ${withArticle(typeText(node))}, found ${shown(value)}`, `did you mean "${word}"?`)
    return undefined
  }
  const result = check(chosen, value, spot, document)
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

function checkFunction(value: unknown, spot: Spot, document: ConfigDocument): unknown {
  if (typeof value === 'function') return value
  document.valueProblem(spot.path, `expected a function, found ${shown(value)}`, 'only a TypeScript or JavaScript config can have one')
  return undefined
}

function checkPlain(node: SchemaNode, written: unknown, spot: Spot, document: ConfigDocument): unknown {
  const value = document.expanded.has(spot.path) ? unquoted(written) : written
  if (node.enum) return node.enum.includes(value as string) ? value : mismatch(node, value, spot, document)
  if (node.const !== undefined) return value === node.const ? value : mismatch(node, value, spot, document)
  if (node.type === 'boolean') return typeof value === 'boolean' ? value : mismatch(node, value, spot, document)
  return isNumberOf(node, value) ? value : mismatch(node, value, spot, document)
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

function mismatch(node: SchemaNode, value: unknown, spot: Spot, document: ConfigDocument): undefined {
  const words = [node, ...(node.anyOf ?? [])].flatMap((part) => [...(part.enum ?? []), ...(part.const === undefined ? [] : [part.const])])
  const guess =
    typeof value === 'string'
      ? nearest(
          value,
          words.filter((word) => typeof word === 'string'),
        )
      : null
  document.valueProblem(
    spot.path,
    `expected ${withArticle(typeText(node))}, found ${shown(value)}`,
    guess === null ? null : `did you mean "${guess}"?`,
  )
  return undefined
}

function below(spot: Spot, key: string): Spot {
  return { path: keyPath(spot.path, key), at: spot.at === '' ? key : `${spot.at}.${key}` }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
