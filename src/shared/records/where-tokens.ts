/** An expression in pieces. */

export type Token =
  | { kind: 'and' | 'or' | 'not' | 'open' | 'close' | 'end'; at: number; text: string }
  | { kind: 'operator'; at: number; text: Operator }
  /** `isQuoted`: it stands between quotes, which are not part of it. */
  | { kind: 'word'; at: number; text: string; isQuoted: boolean }

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | '~'

/** What is wrong with an expression, and where. */
export class WhereError extends Error {
  /** Index of the character. */
  readonly at: number

  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

/** Longer expressions are refused. */
export const longestExpression = 1_000

const signs: [text: string, kind: 'and' | 'or' | 'open' | 'close'][] = [
  ['&&', 'and'],
  ['||', 'or'],
  ['(', 'open'],
  [')', 'close'],
]
const operators: readonly Operator[] = ['!=', '<=', '>=', '=', '<', '>', '~']

/** Throws WhereError. The last token is the end. */
export function tokensOf(text: string): Token[] {
  if (text.length > longestExpression) throw new WhereError(longestExpression, `an expression has at most ${longestExpression} characters`)
  const tokens: Token[] = []
  for (let at = spaceEnd(text, 0); at < text.length; at = spaceEnd(text, at)) {
    const { token, end } = tokenAt(text, at)
    tokens.push(token)
    at = end
  }
  return [...tokens, { kind: 'end', at: text.trimEnd().length, text: '' }]
}

function tokenAt(text: string, at: number): { token: Token; end: number } {
  const sign = signs.find(([sign]) => text.startsWith(sign, at))
  if (sign !== undefined) return { token: { kind: sign[1], at, text: sign[0] }, end: at + sign[0].length }
  const operator = operatorAt(text, at)
  if (operator !== null) return { token: { kind: 'operator', at, text: operator.text }, end: at + operator.length }
  if (text[at] === '!') return { token: { kind: 'not', at, text: '!' }, end: at + 1 }
  if (text[at] === '"' || text[at] === "'") return quotedAt(text, at)
  return wordAt(text, at)
}

/** `==` is what many write for `=`. */
function operatorAt(text: string, at: number): { text: Operator; length: number } | null {
  if (text.startsWith('==', at)) return { text: '=', length: 2 }
  const found = operators.find((operator) => text.startsWith(operator, at))
  return found === undefined ? null : { text: found, length: found.length }
}

function quotedAt(text: string, at: number): { token: Token; end: number } {
  const quote = text[at]
  let value = ''
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === quote) return { token: { kind: 'word', at, text: value, isQuoted: true }, end: i + 1 }
    // Only the quote itself is escaped: a regular expression keeps its backslashes.
    if (text[i] === '\\' && text[i + 1] === quote) i++
    value += text[i]
  }
  throw new WhereError(at, `the text that begins here has no end: a ${quote} is missing`)
}

function wordAt(text: string, at: number): { token: Token; end: number } {
  const word = /^[^\s()&|=<>!~"']+/.exec(text.slice(at))?.[0] ?? ''
  if (word === '') throw new WhereError(at, `${JSON.stringify(text[at])} means nothing here: write && or ||, and texts between quotes`)
  return { token: { kind: 'word', at, text: word, isQuoted: false }, end: at + word.length }
}

function spaceEnd(text: string, at: number): number {
  let end = at
  while (end < text.length && /\s/.test(text[end] as string)) end++
  return end
}
