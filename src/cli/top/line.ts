import { type Colour, coloured } from '../table.ts'
import { printable } from '../words.ts'
import { cutTo, fitTo, widthOf } from './width.ts'

/** What a frame is drawn for. */
export interface FrameSize {
  columns: number
  /** null: as many as it takes, without the last line, which is about keys. */
  rows: number | null
  hasColour: boolean
  /** Whether the terminal shows more than ASCII. */
  hasUnicode: boolean
}

/** Part of a line; foreign text in it cannot steer the terminal, as all of it is made printable here. */
export type Part = string | { text: string; colour: Colour }

/** A line of parts, cut where the screen ends. */
export function lineOf(parts: readonly Part[], { columns, hasColour }: FrameSize): string {
  let left = columns
  let line = ''
  for (const part of parts) {
    if (left <= 0) break
    const text = cutTo(plainOf(part), left)
    left -= widthOf(text)
    line += typeof part === 'string' || text === '' ? text : coloured(text, part.colour, { hasColour, width: null })
  }
  return line
}

/** One part at each end; where both do not fit the right one goes. */
export function spread(parts: readonly Part[], right: string, size: FrameSize): string {
  const used = parts.reduce((sum, part) => sum + widthOf(plainOf(part)), 0)
  const space = size.columns - used - widthOf(right)
  return space < 1 ? lineOf(parts, size) : lineOf([...parts, ' '.repeat(space), { text: right, colour: 'dim' }], size)
}

/** A cell of so many columns. */
export function cellOf(part: Part, width: number, align: 'left' | 'right'): Part {
  const text = fitTo(plainOf(part), width, align)
  return typeof part === 'string' ? text : { text, colour: part.colour }
}

/** Columns that a part takes. */
export function partWidth(part: Part): number {
  return widthOf(plainOf(part))
}

/** The line in reverse where there is colour: the selected one. Its own colours would be hard to read there. */
export function reversed(parts: readonly Part[], size: FrameSize): string {
  const text = fitTo(parts.map(plainOf).join(''), size.columns)
  return size.hasColour ? `\u001b[7m${text}\u001b[27m` : text.trimEnd()
}

const inAscii: Readonly<Record<string, string>> = { µ: 'u', '…': '~', '▁': '+', '█': '-', '▾': 'v', '▴': '^', '↑': '^', '↓': 'v' }

/** For a terminal that shows nothing else. */
export function ascii(line: string): string {
  return line.replace(/[\u007f-\u{10ffff}]/gu, (character) => inAscii[character] ?? '?')
}

// Spaces are kept as they are: they make the columns.
function plainOf(part: Part): string {
  const text = typeof part === 'string' ? part : part.text
  return /^ *$/.test(text) ? text : text.replace(/[^ ]+/g, printable)
}
