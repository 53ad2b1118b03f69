// Loads the wire documents; test/wire/README.md describes their grammar.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** One answer that the client gets, in order. `forwarded`: the server saw the request and answered it. */
export type Step = { at: 'forwarded'; closes: boolean } | { at: 'refused'; status: number; closes: boolean } | { at: 'waits' }

type Case = {
  /** A sentence, unique within its file. */
  title: string
  file: string
  line: number
  bytes: Buffer
}

export type RequestCase = Case & {
  steps: Step[]
  /** Request lines that must have arrived, latin1. */
  serverSees: string[]
  serverHeaders: { name: string; value: string }[]
  serverBody: string | undefined
  /** Bytes that must never arrive, latin1. */
  serverNeverSees: string[]
  decidedBy: 'parser' | 'balancer'
}

export type ResponseExpectation = { at: 'passed'; status: number; body: string } | { at: 'refused'; status: number } | { at: 'broken' }

export type ResponseCase = Case & { requestMethod: string; expect: ResponseExpectation }

export type Corpus = { requests: RequestCase[]; responses: ResponseCase[] }

type Section = Case & { facts: { key: string; value: string }[] }

const SIMPLE_ESCAPES: Record<string, string> = { r: '\r', n: '\n', t: '\t', '0': '\0', '\\': '\\' }

/**
 * All cases below `dir`/requests and `dir`/responses.
 * @throws Error naming file and line when a document breaks the grammar.
 */
export function loadCorpus(dir: string): Corpus {
  return {
    requests: sectionsBelow(join(dir, 'requests')).map(toRequestCase),
    responses: sectionsBelow(join(dir, 'responses')).map(toResponseCase),
  }
}

/**
 * The bytes of a text with escapes, as a latin1 string.
 * @throws Error on an escape that the grammar does not know.
 */
export function unescapeBytes(text: string): string {
  return text.replace(/\\(?:\{(\d+)\*([^}]*)\}|x([0-9a-fA-F]{2})|([\s\S]?))/g, (whole, count, repeated, hex, simple) => {
    if (count !== undefined) return unescapeBytes(repeated).repeat(Number(count))
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    const byte = SIMPLE_ESCAPES[simple]
    if (byte === undefined) throw new Error(`unknown escape ${whole}`)
    return byte
  })
}

function sectionsBelow(dir: string): Section[] {
  const files = readdirSync(dir).filter((name) => name.endsWith('.md'))
  return files.sort().flatMap((name) => sectionsOf(join(dir, name)))
}

function sectionsOf(path: string): Section[] {
  const lines = readFileSync(path, 'latin1').split('\n')
  const starts = lines.flatMap((text, index) => (text.startsWith('## ') ? [index] : []))
  return starts.map((start, i) => sectionOf(path, lines, start, starts[i + 1] ?? lines.length))
}

function sectionOf(path: string, lines: string[], start: number, end: number): Section {
  const where = `${basename(path)}:${start + 1}`
  const open = lines.indexOf('```http', start)
  const close = lines.indexOf('```', open)
  if (open < 0 || open > end || close < 0 || close > end) throw new Error(`${where}: no http block`)
  const facts = lines.slice(close + 1, end).flatMap((text) => {
    const match = /^- ([a-z ]+): ?(.*)$/.exec(text)
    if (!match && text.trim() !== '') throw new Error(`${where}: not a fact: ${text}`)
    return match ? [{ key: match[1] ?? '', value: match[2] ?? '' }] : []
  })
  const bytes = Buffer.from(unescapeBytes(lines.slice(open + 1, close).join('')), 'latin1')
  return { title: (lines[start] ?? '').slice(3), file: basename(path), line: start + 1, bytes, facts }
}

function toRequestCase(section: Section): RequestCase {
  const { facts, ...rest } = section
  refuseUnknownKeys(section, ['expect', 'server sees', 'server header', 'server body', 'server never sees', 'decided by'])
  return {
    ...rest,
    steps: only(section, 'expect')
      .split(' then ')
      .map((text) => toStep(section, text)),
    serverSees: all(section, 'server sees'),
    serverHeaders: all(section, 'server header').map((text) => toHeader(text)),
    serverBody: all(section, 'server body')[0],
    serverNeverSees: all(section, 'server never sees'),
    decidedBy: facts.some((fact) => fact.key === 'decided by' && fact.value === 'balancer') ? 'balancer' : 'parser',
  }
}

function toStep(section: Section, text: string): Step {
  if (text === 'waits') return { at: 'waits' }
  const match = /^(forwarded|\d{3})( close)?$/.exec(text)
  if (!match) throw new Error(`${section.file}:${section.line}: cannot read the step "${text}"`)
  const closes = match[2] !== undefined
  if (match[1] === 'forwarded' || match[1] === '200') return { at: 'forwarded', closes }
  return { at: 'refused', status: Number(match[1]), closes }
}

function toHeader(text: string): { name: string; value: string } {
  const colon = text.indexOf(':')
  return { name: text.slice(0, colon).toLowerCase(), value: text.slice(colon + 1).replace(/^ /, '') }
}

function toResponseCase(section: Section): ResponseCase {
  const { facts: _, ...rest } = section
  refuseUnknownKeys(section, ['expect', 'request'])
  return { ...rest, requestMethod: all(section, 'request')[0] ?? 'GET', expect: toResponseExpectation(section) }
}

function toResponseExpectation(section: Section): ResponseExpectation {
  const text = only(section, 'expect')
  if (text === 'broken') return { at: 'broken' }
  const match = /^(\d{3})(?: body "(.*)")?$/.exec(text)
  if (!match) throw new Error(`${section.file}:${section.line}: cannot read "${text}"`)
  const status = Number(match[1])
  return match[2] === undefined ? { at: 'refused', status } : { at: 'passed', status, body: match[2] }
}

function all(section: Section, key: string): string[] {
  return section.facts.filter((fact) => fact.key === key).map((fact) => unescapeBytes(fact.value))
}

function only(section: Section, key: string): string {
  const [value, ...more] = all(section, key)
  if (value === undefined || more.length > 0) throw new Error(`${section.file}:${section.line}: one "${key}" is needed`)
  return value
}

function refuseUnknownKeys(section: Section, known: string[]): void {
  const unknown = section.facts.find((fact) => !known.includes(fact.key))
  if (unknown) throw new Error(`${section.file}:${section.line}: unknown fact "${unknown.key}"`)
}
