import { expected, type Parsed, parsed, refused } from './parsed.ts'

/** A status, or `first-last` with both ends included; 100 to 599. */
export function parseStatusRange(text: string): Parsed<[number, number]> {
  return parseRange(text, 100)
}

/** The same among the statuses of errors, 400 to 599. */
export function parseErrorStatusRange(text: string): Parsed<[number, number]> {
  return parseRange(text, 400)
}

function parseRange(text: string, least: number): Parsed<[number, number]> {
  const [, from = '', to = from] = /^(\d{3})(?:-(\d{3}))?$/.exec(text) ?? []
  const [first, last] = [Number(from), Number(to)]
  if (Math.min(first, last) < least || Math.max(first, last) > 599)
    return expected(`a status from ${least} to 599, or a range of them such as 500-599`, text)
  return last < first ? refused(`the range ${text} ends before it begins`, `write "${to}-${from}"`) : parsed([first, last])
}
