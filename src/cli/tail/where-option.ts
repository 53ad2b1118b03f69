import { parseWhere } from '../../shared/records/where.ts'
import { WhereError } from '../../shared/records/where-tokens.ts'
import { UsageError } from '../usage-error.ts'
import { printable } from '../words.ts'

/** So much of a long expression is shown round the mistake. */
const shownBefore = 60
const shownAll = 100

/** For yargs: an expression. A mistake is shown with a mark under its place. */
export function whereOption(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  try {
    parseWhere(text)
    return text
  } catch (error) {
    if (!(error instanceof WhereError)) throw error
    const from = Math.max(0, error.at - shownBefore)
    // One character stays one character.
    const line = [...text.slice(from, from + shownAll)].map((character) => printable(character) || ' ').join('')
    throw new UsageError(`--where: ${error.message}\n  ${line}\n  ${' '.repeat(error.at - from)}^`)
  }
}
