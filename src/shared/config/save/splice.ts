/** A stretch of a text that is replaced; nothing else of the text changes. Offsets are in UTF-16 units. */
export interface Splice {
  start: number
  end: number
  text: string
}

/** The text with all its splices, which do not overlap; those at the same place stay in their order. */
export function spliced(text: string, splices: readonly Splice[]): string {
  let at = 0
  let result = ''
  for (const { start, end, text: insert } of splices.toSorted((a, b) => a.start - b.start)) {
    result += text.slice(at, start) + insert
    at = Math.max(at, end)
  }
  return result + text.slice(at)
}

/** Where the line of an offset begins. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1
}

/** Where the line of an offset ends, before its line feed. */
export function lineEnd(text: string, offset: number): number {
  const feed = text.indexOf('\n', offset)
  if (feed === -1) return text.length
  return text[feed - 1] === '\r' && feed > offset ? feed - 1 : feed
}

/** Where the next line begins, or the text ends. */
export function nextLine(text: string, offset: number): number {
  const feed = text.indexOf('\n', offset)
  return feed === -1 ? text.length : feed + 1
}

/** What stands before an offset in its line when that is nothing but spaces; else null. */
export function indentAt(text: string, offset: number): string | null {
  const before = text.slice(lineStart(text, offset), offset)
  return /^ *$/.test(before) ? before : null
}
