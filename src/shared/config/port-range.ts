import type { PortRange } from './model.ts'
import { expected, type Parsed, parsed, refused } from './parsed.ts'

/** A port, or `first-last` with both ends included. Ports are 1 to 65535. */
export function parsePortRange(text: string): Parsed<PortRange> {
  const [, from = '', to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  const range = { first: Number(from), last: Number(to) }
  if (range.first < 1 || range.last < 1 || Math.max(range.first, range.last) > 65_535)
    return expected('a port from 1 to 65535, or a range of them such as 8000-8100', text)
  if (range.last < range.first) return refused(`the range ${text} ends before it begins`, `write "${to}-${from}"`)
  return parsed(range)
}

/** How many ports a range has. */
export function countPorts(range: PortRange): number {
  return range.last - range.first + 1
}

/** `443`, `8000-8100`. */
export function portRangeText({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}-${last}`
}
