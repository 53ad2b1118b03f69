import type { Alias, Pair, ParsedNode, YAMLMap, YAMLSeq } from 'yaml'
import { Composer, type CST, type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, Parser, visit } from 'yaml'
import { ConfigDocument, type Place, unreadable } from './document.ts'
import type { Environment } from './environment.ts'
import { itemPath, keyPath } from './key-path.ts'
import { expandedText } from './read-value.ts'
import { reportSyntax } from './yaml-syntax.ts'

const deepest = 64
const mostValues = 100_000

/** YAML or JSON text as a document with the place of every key and value. Syntax errors are its problems. */
export function readYaml(text: string, file: string, env: Environment): ConfigDocument {
  const document = new ConfigDocument(file, text)
  const lines = new LineCounter()
  const yaml = composed(text, lines, document)
  if (!yaml) return failed(document)
  if (reportSyntax(yaml, lines, document)) return failed(document)
  const walk = { document, env, lines, targets: aliasTargets(yaml), open: new Set<unknown>(), values: 0 }
  document.value = plain(yaml.contents, '', walk)
  return document
}

interface Walk {
  document: ConfigDocument
  env: Environment
  lines: LineCounter
  targets: Map<Alias, Node>
  /** The maps and lists that are being read: an alias to one of them never ends. */
  open: Set<unknown>
  values: number
}

/**
 * The composer is recursive and a hostile file could exhaust the stack, which V8 does not always survive,
 * so the depth is measured on the flat token tree first.
 */
function composed(text: string, lines: LineCounter, document: ConfigDocument): Document.Parsed | null {
  const tokens = [...new Parser(lines.addNewLine).parse(text)]
  const tooDeep = offsetBelow(tokens, deepest)
  if (tooDeep !== null) {
    document.textProblem(placeOf(lines, tooDeep, tooDeep + 1), `nested more than ${deepest} levels deep`)
    return null
  }
  const composer = new Composer<ParsedNode>({ uniqueKeys: false, prettyErrors: false, merge: false, logLevel: 'silent' })
  const [yaml, second] = composer.compose(tokens, true, text.length) as Iterable<Document.Parsed>
  if (second) {
    const start = second.contents?.range[0] ?? second.range[0]
    document.textProblem(
      placeOf(lines, start, start + 1),
      'a config is one document, found a second one',
      'remove the line "---" before it',
    )
    return null
  }
  return yaml ?? null
}

function offsetBelow(tokens: CST.Token[], depth: number): number | null {
  const open: { token: CST.Token; level: number }[] = tokens.map((token) => ({ token, level: 0 }))
  for (let next = open.pop(); next; next = open.pop()) {
    const { token, level } = next
    if (level > depth) return token.offset
    if (token.type === 'document' && token.value) open.push({ token: token.value, level })
    if (!('items' in token)) continue
    for (const item of token.items as { key?: CST.Token | null; value?: CST.Token }[]) {
      if (item.key) open.push({ token: item.key, level: level + 1 })
      if (item.value) open.push({ token: item.value, level: level + 1 })
    }
  }
  return null
}

/** What each alias stands for: the last anchor of its name before it, as YAML 1.2.2 section 7.1 says. */
function aliasTargets(yaml: Document.Parsed): Map<Alias, Node> {
  const anchors = new Map<string, Node>()
  const targets = new Map<Alias, Node>()
  visit(yaml, {
    Node(_, node) {
      if (isAlias(node)) {
        const target = anchors.get(node.source)
        if (target) targets.set(node, target)
      } else if (node.anchor) {
        anchors.set(node.anchor, node as Node)
      }
    },
  })
  return targets
}

function plain(node: unknown, path: string, walk: Walk): unknown {
  walk.values += 1
  if (walk.values > mostValues) {
    if (walk.values === mostValues + 1)
      walk.document.textProblem(null, `the config has more than ${mostValues} values`, 'look for aliases of aliases')
    return unreadable
  }
  if (isAlias(node)) return aliased(node, path, walk)
  if (isMap(node)) return inside(node, path, walk, () => plainMap(node, path, walk))
  if (isSeq(node)) return inside(node, path, walk, () => plainList(node, path, walk))
  return isScalar(node) ? plainScalar(node.value, path, walk) : null
}

function aliased(alias: Alias, path: string, walk: Walk): unknown {
  const target = walk.targets.get(alias)
  if (target) return plain(target, path, walk)
  walk.document.valueProblem(path, `no anchor &${alias.source} before this alias`)
  return unreadable
}

function inside(node: Node, path: string, walk: Walk, read: () => unknown): unknown {
  if (walk.open.has(node)) {
    walk.document.valueProblem(path, 'the alias stands for a value that contains it')
    return unreadable
  }
  // Aliases can nest what the text does not.
  if (walk.open.size >= deepest) {
    walk.document.valueProblem(path, `nested more than ${deepest} levels deep`)
    return unreadable
  }
  walk.open.add(node)
  const value = read()
  walk.open.delete(node)
  return value
}

function plainList(list: YAMLSeq, path: string, walk: Walk): unknown[] {
  return list.items.map((item, index) => {
    const at = itemPath(path, index)
    walk.document.place(at, { key: null, value: nodePlace(item, walk.lines) })
    return plain(item, at, walk)
  })
}

function plainMap(map: YAMLMap, path: string, walk: Walk): Record<string, unknown> {
  const result: Record<string, unknown> = Object.create(null)
  for (const pair of map.items) {
    const key = keyOf(pair, path, walk)
    if (key === null) continue
    const at = keyPath(path, key)
    const keyPlace = nodePlace(pair.key, walk.lines)
    if (Object.hasOwn(result, key)) {
      const first = walk.document.lineOf(at)
      walk.document.textProblem(keyPlace, `${at}: the key stands here twice; the first is in line ${first}`)
      continue
    }
    walk.document.place(at, { key: keyPlace, value: nodePlace(pair.value, walk.lines) })
    result[key] = plain(pair.value, at, walk)
  }
  return result
}

function keyOf(pair: Pair, path: string, walk: Walk): string | null {
  const { key } = pair
  if (isScalar(key) && ['string', 'number', 'boolean'].includes(typeof key.value))
    return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))
  walk.document.textProblem(nodePlace(key, walk.lines), `${path === '' ? '' : `${path}: `}a key has to be a word`)
  return null
}

function plainScalar(value: unknown, path: string, walk: Walk): unknown {
  if (typeof value === 'string') return expandedText(value, path, walk.document, walk.env)
  if (value === null || ['number', 'boolean', 'bigint'].includes(typeof value)) return value
  walk.document.valueProblem(path, 'the YAML tag of this value is not supported', 'remove the tag')
  return unreadable
}

/** Where a node stands; its first line, where it has several. Null for a value that is not there. */
function nodePlace(node: unknown, lines: LineCounter): Place | null {
  const range = (node as Node | null)?.range
  if (!range || (isScalar(node) && range[0] === range[1])) return null
  return placeOf(lines, range[0], range[1])
}

function placeOf(lines: LineCounter, start: number, end: number): Place {
  const { line, col } = lines.linePos(start)
  const next = lines.lineStarts[line] ?? Number.POSITIVE_INFINITY
  return { line: Math.max(line, 1), column: Math.max(col, 1), length: Math.max(1, Math.min(end, next - 1) - start) }
}

function failed(document: ConfigDocument): ConfigDocument {
  document.value = unreadable
  return document
}
