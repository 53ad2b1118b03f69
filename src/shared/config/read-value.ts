import { ConfigDocument, unreadable } from './document.ts'
import { type Environment, expandEnvironment, holdsVariables } from './environment.ts'
import { itemPath, keyPath } from './key-path.ts'

const deepest = 64
const mostValues = 100_000

/** A value of a program as a document: maps, lists, texts, numbers, booleans and functions; what is undefined is left out. */
export function readValue(value: unknown, source: string, env: Environment): ConfigDocument {
  const document = new ConfigDocument(source, null)
  try {
    document.value = copied(value, '', { document, env, parents: [], values: 0 })
  } catch (error) {
    // A getter or a proxy of the value may throw anything.
    document.value = unreadable
    document.textProblem(null, `the config cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  return document
}

/** A text with its variables replaced, or `unreadable`, which has been reported. */
export function expandedText(text: string, path: string, document: ConfigDocument, env: Environment): string | typeof unreadable {
  if (!holdsVariables(text)) return text
  const result = expandEnvironment(text, env)
  document.expanded.add(path)
  if (result.ok) return result.value
  document.valueProblem(path, result.message, result.hint)
  return unreadable
}

interface Walk {
  document: ConfigDocument
  env: Environment
  parents: object[]
  values: number
}

function copied(value: unknown, path: string, walk: Walk): unknown {
  if (typeof value === 'string') return expandedText(value, path, walk.document, walk.env)
  if (typeof value !== 'object' || value === null) return value
  const refusal = refusalOf(value, walk)
  if (refusal !== null) {
    walk.document.valueProblem(path, refusal)
    return unreadable
  }
  walk.parents.push(value)
  const copy = Array.isArray(value)
    ? value.map((item: unknown, index) => copied(item, itemPath(path, index), walk))
    : copiedMap(value, path, walk)
  walk.parents.pop()
  return copy
}

function copiedMap(value: object, path: string, walk: Walk): Record<string, unknown> {
  const copy: Record<string, unknown> = Object.create(null)
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined) copy[key] = copied(item, keyPath(path, key), walk)
  }
  return copy
}

function refusalOf(value: object, walk: Walk): string | null {
  walk.values += 1
  if (walk.values > mostValues) return `the config has more than ${mostValues} maps and lists`
  if (walk.parents.includes(value)) return 'the value contains itself'
  if (walk.parents.length >= deepest) return `nested more than ${deepest} levels deep`
  if (Array.isArray(value)) return null
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: string } } | null
  // A module of another realm has its own Object.prototype, so its name decides.
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null
  return isPlain ? null : `expected plain maps and lists, found a ${prototype.constructor?.name ?? 'class instance'}`
}
