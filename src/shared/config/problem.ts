/** What is wrong with a configuration, where, and how it is shown. */

export interface ConfigProblem {
  /** The file as it was named by the user, or '<command line>' and the like. */
  file: string
  /** From 1; null where the source has no text, as the value of a TypeScript configuration. */
  line: number | null
  column: number | null
  /** Key path such as `listeners.web.routes[0].match`; '' for the file itself. */
  path: string
  message: string
  /** What to write instead, where that is known. */
  hint: string | null
  /** The line it stands in and how many characters of it are meant; null without a line. */
  excerpt: { text: string; length: number } | null
}

const widestExcerpt = 120
const mostShown = 50

/** All problems as text: one line each, below it the source line and a caret under the place. Ends in a line feed. */
export function renderProblems(problems: ConfigProblem[]): string {
  const shown = problems.slice(0, mostShown).map(renderProblem)
  if (problems.length > mostShown) shown.push(`… and ${problems.length - mostShown} more problems`)
  return shown.map((text) => `${text}\n`).join('')
}

/** One problem without its source line: `weir.yaml:12:7: listeners.web.bnid: unknown key, did you mean "bind"?`. */
export function problemLine(problem: ConfigProblem): string {
  const place = problem.line === null ? problem.file : `${problem.file}:${problem.line}:${problem.column ?? 1}`
  const message =
    problem.hint === null ? problem.message : `${problem.message}${problem.hint.startsWith('did you') ? ',' : ';'} ${problem.hint}`
  return printable([place, problem.path, message].filter((part) => part !== '').join(': '))
}

function renderProblem(problem: ConfigProblem): string {
  const line = problemLine(problem)
  if (problem.line === null || problem.excerpt === null) return line
  const { text, before, length } = windowed(problem.excerpt.text, (problem.column ?? 1) - 1, problem.excerpt.length)
  const margin = String(problem.line)
  return [line, `  ${margin} | ${text}`, `  ${' '.repeat(margin.length)} | ${' '.repeat(before)}${'^'.repeat(length)}`].join('\n')
}

/** A minified file has one very long line: only the part round the place is shown. */
function windowed(source: string, start: number, length: number): { text: string; before: number; length: number } {
  const from = start < widestExcerpt - 20 ? 0 : start - 40
  const text = printable(source.slice(from, from + widestExcerpt))
  const before = Math.min(start - from, text.length)
  return { text, before, length: Math.max(1, Math.min(length, text.length - before)) }
}

/** A file may hold anything, so nothing of it may steer the terminal; one character stays one character. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (found) => (found === '\t' ? ' ' : '\ufffd'))
}
