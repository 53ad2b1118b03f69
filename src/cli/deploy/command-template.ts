/** A command for the shell with places for what differs between servers: `ssh {host} systemctl restart app`. */
import { CommandError } from '../control-errors.ts'

/** What a command can say of a server. */
export interface ServerFacts {
  /** As in the config: `host:port`, `[IPv6]:port` or `unix:/path`. */
  address: string
  /** IPv6 without brackets; the path of a unix socket. */
  host: string
  /** '' for a unix socket. */
  port: string
  name: string
  upstream: string
}

export type Placeholder = keyof ServerFacts

const placeholders: readonly Placeholder[] = ['address', 'host', 'port', 'name', 'upstream']

type Part =
  | { kind: 'text'; text: string }
  /** `isBare`: outside of quotes and of everything that the shell reads twice. `isWord`: it begins a word of the command. */
  | { kind: 'value'; of: Placeholder; isBare: boolean; isWord: boolean }

export interface CommandTemplate {
  readonly text: string
  readonly parts: readonly Part[]
}

/** The template, or the values that are to be put into it, would not become the command that was meant. Exit code 2. */
export class BadTemplate extends CommandError {
  constructor(message: string) {
    super({ code: 'bad-request', message, exit: 2 })
  }
}

/**
 * Reads a template. `{{` and `}}` are braces.
 * @throws BadTemplate for an unknown placeholder, and for a brace that is none
 */
export function parseTemplate(text: string): CommandTemplate {
  if (text.trim() === '') throw new BadTemplate('the command is empty')
  if (text.includes('\0')) throw new BadTemplate('the command holds a NUL byte')
  const parts: Part[] = []
  const shell = new ShellPlace()
  const add = (piece: string) => {
    parts.push({ kind: 'text', text: piece })
    for (const char of piece) shell.pass(char)
  }
  for (const [piece] of text.matchAll(/\{\{|\}\}|\{[^{}]*\}|[^{}]+|[{}]/g)) {
    if (piece === '{{' || piece === '}}') add(piece[0] as string)
    else if (piece.length === 1 && /[{}]/.test(piece)) throw loneBrace(text, piece)
    else if (piece.startsWith('{')) {
      if (shell.isAfterDollar) throw new BadTemplate(`for a variable of the shell write $\{${piece}}, as single braces are placeholders`)
      parts.push({ kind: 'value', of: placeholderOf(piece), isBare: shell.isBare, isWord: shell.isAtWord })
      shell.pass('x')
    } else add(piece)
  }
  return { text, parts }
}

/**
 * The command for one server. Outside of quotes each value is put in single quotes, so it stays one word whatever it holds. Where the
 * template has quotes of its own, or words that the shell reads twice, only values that mean nothing to a shell are let in.
 * @throws BadTemplate for a value that the shell would read, or a program would take for an option
 */
export function fillTemplate({ parts }: CommandTemplate, facts: ServerFacts): string {
  return parts.map((part) => (part.kind === 'text' ? part.text : filled(part, facts))).join('')
}

/** The same facts for the environment of the command: safe in every place, as the shell does not read what a variable holds. */
export function commandEnvironment(facts: ServerFacts): Record<string, string> {
  return {
    WEIR_SERVER: `${facts.upstream}/${facts.name}`,
    WEIR_SERVER_ADDRESS: facts.address,
    WEIR_SERVER_HOST: facts.host,
    WEIR_SERVER_PORT: facts.port,
    WEIR_SERVER_NAME: facts.name,
    WEIR_UPSTREAM: facts.upstream,
  }
}

/** What is known of a server by its address, as the config writes it. */
export function factsOf(upstream: string, name: string, address: string): ServerFacts {
  if (address.startsWith('unix:')) return { address, host: address.slice('unix:'.length), port: '', name, upstream }
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1')
  return { address, host, port: address.slice(colon + 1), name, upstream }
}

/** One word for a POSIX shell, whatever it holds but a NUL byte. */
export function shellQuote(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`
}

function placeholderOf(piece: string): Placeholder {
  const name = piece.slice(1, -1)
  const found = placeholders.find((known) => known === name)
  if (found !== undefined) return found
  const known = placeholders.map((one) => `{${one}}`).join(' ')
  throw new BadTemplate(`${piece} is no placeholder: there are ${known}; for braces of the shell write {{${name}}}`)
}

function loneBrace(text: string, brace: string): BadTemplate {
  return new BadTemplate(`a brace without its other half in ${JSON.stringify(text)}: for a brace of the shell write ${brace}${brace}`)
}

function filled({ of, isBare, isWord }: Extract<Part, { kind: 'value' }>, facts: ServerFacts): string {
  const value = facts[of]
  const server = `${facts.upstream}/${facts.name}`
  if (value.includes('\0')) throw new BadTemplate(`the ${of} of ${server} holds a NUL byte`)
  if (isWord && value.startsWith('-'))
    throw new BadTemplate(`the ${of} of ${server}, ${JSON.stringify(value)}, begins with a dash, which a program would take for an option`)
  if (isBare) return shellQuote(value)
  // Nothing here has a meaning to any shell, so that it may stand anywhere, also in words that a second shell reads.
  if (/^[\w@%+=:,./-]*$/.test(value)) return value
  const way = `put {${of}} outside of quotes, or use the environment variable ${variableOf(of)}`
  throw new BadTemplate(`the ${of} of ${server}, ${JSON.stringify(value)}, holds characters that the shell would read: ${way}`)
}

function variableOf(of: Placeholder): string {
  return of === 'upstream' ? 'WEIR_UPSTREAM' : `WEIR_SERVER_${of.toUpperCase()}`
}

type Quoting = 'bare' | 'single' | 'double' | 'variable' | 'unknown'

/**
 * Where in a shell command we are, as far as it matters: surely bare, or perhaps not. What needs more of the shell's grammar to tell
 * (substitutions, here-documents, comments) counts as not bare to the end.
 */
class ShellPlace {
  #at: Quoting = 'bare'
  #isEscaped = false
  #wasEscaped = false
  #last = ''
  /** What `${NAME}` stands in. */
  #outer: Quoting = 'bare'

  get isBare(): boolean {
    return this.#at === 'bare' && !this.#isEscaped
  }

  get isAfterDollar(): boolean {
    return this.#at !== 'single' && this.#last === '$' && !this.#wasEscaped
  }

  get isAtWord(): boolean {
    return this.#last === '' || /[\s'";&|(]/.test(this.#last)
  }

  pass(char: string): void {
    const last = this.#last
    this.#last = char
    this.#wasEscaped = this.#isEscaped
    if (this.#isEscaped) this.#isEscaped = false
    else if (this.#at === 'single') this.#at = char === "'" ? 'bare' : 'single'
    else if (char === '\\') this.#isEscaped = true
    else this.#at = this.#after(last, char)
  }

  #after(last: string, char: string): Quoting {
    if (this.#at === 'variable') return char === '}' ? this.#outer : /\w/.test(char) ? 'variable' : 'unknown'
    if (last === '$' && char === '{' && this.#at !== 'unknown') {
      this.#outer = this.#at
      return 'variable'
    }
    if (this.#at === 'unknown' || char === '`' || (last === '$' && /[('"]/.test(char))) return 'unknown'
    if (this.#at === 'double') return char === '"' ? 'bare' : 'double'
    if ((last === '<' && char === '<') || (char === '#' && (last === '' || /[\s;&|(]/.test(last)))) return 'unknown'
    if (char === "'") return 'single'
    return char === '"' ? 'double' : 'bare'
  }
}
