import { styleText } from 'node:util'
import { printable } from './words.ts'

export type Colour = 'green' | 'yellow' | 'red' | 'cyan' | 'bold' | 'dim'

export interface Column {
  title: string
  align?: 'left' | 'right'
}

/** Text, or text in a colour. */
export type Cell = string | { text: string; colour: Colour }

export interface Screen {
  /** Columns; null: lines may have any length. */
  width: number | null
  hasColour: boolean
}

const GAP = '  '
const LEAST_LAST = 12

/**
 * Rows under titles in aligned columns, each line with a line feed. Columns in which nothing stands are left out. Where lines get
 * too long for the screen the last column, which holds the reasons, is cut.
 */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], screen: Screen): string {
  const used = columns.map((_, index) => rows.some((row) => textOf(row[index]) !== ''))
  const lines = [columns.map(({ title }): Cell => ({ text: title, colour: 'bold' })), ...rows].map((cells) =>
    cells.filter((_, index) => used[index]),
  )
  const shown = columns.filter((_, index) => used[index])
  const widths = shown.map((_, index) => Math.max(...lines.map((cells) => textOf(cells[index]).length)))
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0)
  const last = screen.width === null ? Number.POSITIVE_INFINITY : Math.max(LEAST_LAST, screen.width - before)
  widths.push(Math.min(widths.pop() ?? 0, last))
  return lines.map((cells) => lineOf(cells, shown, widths, screen)).join('')
}

/** In this colour where the screen has any. */
export function coloured(text: string, colour: Colour, { hasColour }: Screen): string {
  // The caller has looked at the terminal; node would look at it again.
  return hasColour ? styleText(colour, text, { validateStream: false }) : text
}

/** At most so many characters; what is cut off leaves a sign. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1)).trimEnd()}…`
}

function lineOf(cells: readonly Cell[], columns: readonly Column[], widths: readonly number[], screen: Screen): string {
  const parts = cells.map((cell, index) => {
    const width = widths[index] ?? 0
    const text = cut(textOf(cell), width)
    const space = ' '.repeat(width - text.length)
    const ink = typeof cell === 'string' || text === '' ? text : coloured(text, cell.colour, screen)
    if (columns[index]?.align === 'right') return space + ink
    return index === cells.length - 1 ? ink : ink + space
  })
  return `${parts.join(GAP).trimEnd()}\n`
}

function textOf(cell: Cell | undefined): string {
  return printable(typeof cell === 'object' ? cell.text : (cell ?? ''))
}
