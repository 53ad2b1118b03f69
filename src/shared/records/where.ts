/**
 * The language of `weir tail --where`: comparisons of the fields of records, joined by && and ||, turned round by !, grouped by
 * parentheses: `status>=500 && (upstream=api || total>200ms)`. A field alone asks whether it has something to say.
 */
import { nearest } from '../config/nearest.ts'
import type { RecordLine } from './record-line.ts'
import { type Field, fieldNames, fieldOf } from './where-fields.ts'
import { type Operator, type Token, tokensOf, WhereError } from './where-tokens.ts'
import { type WhereValue, whereValue } from './where-value.ts'

export interface Where {
  /** Whether a record is meant. A regular expression may take long: run it where it can be ended. */
  matches(record: RecordLine): boolean
  hasRegex: boolean
}

type Test = (record: RecordLine) => boolean

/** Parentheses and negations in one another. */
const deepest = 50
/** Regular expressions look at so much of a text. */
const longestLook = 4_096

/** Reads an expression; an empty one means every record. Throws WhereError, which knows the place. */
export function parseWhere(text: string): Where {
  const parser = new Parser(tokensOf(text))
  return { matches: parser.whole(), hasRegex: parser.hasRegex }
}

class Parser {
  hasRegex = false
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  whole(): Test {
    if (this.#peek().kind === 'end') return () => true
    const test = this.#either()
    const rest = this.#peek()
    if (rest.kind === 'close') throw new WhereError(rest.at, 'this parenthesis closes none')
    if (rest.kind !== 'end') throw new WhereError(rest.at, 'expected && or || here')
    return test
  }

  #either(): Test {
    const tests = [this.#all()]
    while (this.#takes('or')) tests.push(this.#all())
    return tests.length === 1 ? (tests[0] as Test) : (record) => tests.some((test) => test(record))
  }

  #all(): Test {
    const tests = [this.#one()]
    while (this.#takes('and')) tests.push(this.#one())
    return tests.length === 1 ? (tests[0] as Test) : (record) => tests.every((test) => test(record))
  }

  #one(): Test {
    const token = this.#take()
    if (token.kind === 'word' && !token.isQuoted) return this.#comparison(token)
    if (token.kind !== 'not' && token.kind !== 'open') throw new WhereError(token.at, unexpected(token))
    if (++this.#depth > deepest) throw new WhereError(token.at, `more than ${deepest} parentheses in one another`)
    const test = token.kind === 'not' ? this.#one() : this.#group(token)
    this.#depth--
    return token.kind === 'not' ? (record) => !test(record) : test
  }

  #group(open: Token): Test {
    const test = this.#either()
    if (this.#takes('close')) return test
    const found = this.#peek()
    throw found.kind === 'end'
      ? new WhereError(open.at, 'this parenthesis is not closed')
      : new WhereError(found.at, 'expected && or || or a closing parenthesis here')
  }

  #comparison({ text, at }: Token): Test {
    const field = fieldOf(text)
    if (field === null) throw new WhereError(at, unknownField(text))
    const operator = this.#peek()
    if (operator.kind !== 'operator') return (record) => hasSomething(field.of(record))
    this.#next++
    const value = this.#take()
    if (value.kind !== 'word') throw new WhereError(value.at, `expected a value behind ${operator.text}`)
    const wanted = whereValue(value.text, { kind: field.kind, operator: operator.text, at: value.at })
    if (wanted.kind === 'regex') this.hasRegex = true
    return comparison(field, operator.text, wanted)
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token
  }

  #take(): Token {
    const token = this.#peek()
    if (token.kind !== 'end') this.#next++
    return token
  }

  #takes(kind: Token['kind']): boolean {
    const isIt = this.#peek().kind === kind
    if (isIt) this.#next++
    return isIt
  }
}

function comparison(field: Field, operator: Operator, wanted: WhereValue): Test {
  switch (wanted.kind) {
    case 'range':
      return numberTest(field, operator, wanted)
    case 'flag':
      return (record) => ((field.of(record) ?? false) === wanted.flag) === (operator === '=')
    case 'regex':
      return (record) => textsOf(field.of(record)).some((text) => wanted.regex.test(text.slice(0, longestLook)))
    default:
      return (record) => textsOf(field.of(record)).includes(wanted.text) === (operator === '=')
  }
}

/** What a record does not say is 0: a phase that did not happen took no time. */
function numberTest(field: Field, operator: Operator, { low, high }: { low: number; high: number }): Test {
  const compare: Record<Exclude<Operator, '~'>, (value: number) => boolean> = {
    '=': (value) => value >= low && value <= high,
    '!=': (value) => value < low || value > high,
    '<': (value) => value < low,
    '<=': (value) => value <= high,
    '>': (value) => value > high,
    '>=': (value) => value >= low,
  }
  const test = compare[operator as Exclude<Operator, '~'>]
  return (record) => test(Number(field.of(record) ?? 0))
}

function textsOf(value: ReturnType<Field['of']>): readonly string[] {
  if (value === undefined) return []
  return typeof value === 'object' ? value : [String(value)]
}

function hasSomething(value: ReturnType<Field['of']>): boolean {
  return typeof value === 'object' ? value.some((text) => text !== '') : Boolean(value)
}

function unexpected(token: Token): string {
  if (token.kind === 'end') return 'the expression ends where a comparison should stand'
  return token.kind === 'word'
    ? 'a comparison begins with a field, not with a text'
    : `expected a field before ${JSON.stringify(token.text)}`
}

function unknownField(name: string): string {
  const near = nearest(name, [...fieldNames])
  return `no field is named "${name}"${near === null ? `; there are ${fieldNames.join(', ')}` : `, did you mean "${near}"?`}`
}
