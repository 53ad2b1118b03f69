import type { Document, LineCounter } from 'yaml'
import type { ConfigDocument } from './document.ts'

/** The parser's codes in our words; its own sentence is used for the rest. */
const sentences: Record<string, { message: string; hint: string | null }> = {
  TAB_AS_INDENT: { message: 'a tab cannot indent', hint: 'use spaces' },
  BAD_ALIAS: { message: 'not a valid alias or anchor', hint: 'quote a text that begins with * or &' },
  BLOCK_AS_IMPLICIT_KEY: { message: 'a second ": " in one line', hint: 'quote the text, or begin a new line' },
  MISSING_CHAR: { message: 'a quote, a bracket or a ":" is missing', hint: null },
  BAD_SCALAR_START: { message: 'a text cannot begin with this character', hint: 'quote it' },
  BAD_DIRECTIVE: { message: 'not a directive that is supported', hint: 'remove the line that begins with %' },
  TAG_RESOLVE_FAILED: { message: 'the YAML tag is not supported', hint: 'quote a text that begins with !' },
}

/** One mistake often confuses the parser for the rest of the file. */
const mostReported = 5

/** Reports what the YAML parser did not understand, one problem a line. Returns whether there was any. */
export function reportSyntax(yaml: Document.Parsed, lines: LineCounter, document: ConfigDocument): boolean {
  const found = [...yaml.errors, ...yaml.warnings].sort((a, b) => a.pos[0] - b.pos[0])
  const reported = new Set<number>()
  for (const { code, message, pos } of found) {
    const { line, col } = lines.linePos(pos[0])
    if (reported.has(line) || reported.size >= mostReported) continue
    reported.add(line)
    const sentence = sentences[code] ?? { message: inOneLine(message), hint: null }
    document.textProblem(
      { line: Math.max(line, 1), column: Math.max(col, 1), length: Math.max(1, pos[1] - pos[0]) },
      sentence.message,
      sentence.hint,
    )
  }
  return found.length > 0
}

function inOneLine(message: string): string {
  const text = message.replace(/\s+/g, ' ').trim()
  return text === '' ? 'not valid YAML' : `${(text[0] ?? '').toLowerCase()}${text.slice(1)}`
}
