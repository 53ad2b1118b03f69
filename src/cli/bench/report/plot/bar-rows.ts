/** Rows of bars, or of dots, with a mark where each of them ought to be, as SVG. Pure. */
import type { Axis } from './axis.ts'
import { axes, frameOf, LETTER, words } from './frame.ts'
import { inkClass } from './ink.ts'
import { picture } from './line-plot.ts'
import { element, escaped } from './svg.ts'

export interface BarRow {
  name: string
  ink: number
  /** One for each column. `ought` gets a line across the bar. */
  bars: readonly { value: number; ought: number; text: string }[]
}

export interface BarRows {
  width: number
  columns: readonly string[]
  rows: readonly BarRow[]
  description: string
}

const NAME_HEIGHT = 17
const BAR_HEIGHT = 8
const GAP = 14

/** A column for each thing and a row for each name; all bars have one scale. Names stand above their rows where beside them is no room. */
export function barRows({ width, columns, rows, description }: BarRows): string {
  const names = Math.max(0, ...rows.map(({ name }) => name.length)) * LETTER + 16
  const isNarrow = names > width / 3
  const left = isNarrow ? 0 : names
  const cell = (width - left) / Math.max(1, columns.length)
  const most = Math.max(...rows.flatMap(({ bars }) => bars.flatMap(({ value, ought }) => [value, ought])), 1e-9)
  const rowHeight = (isNarrow ? NAME_HEIGHT : 0) + NAME_HEIGHT + BAR_HEIGHT + GAP
  const head = columns.map((name, index) => words(shortened(name, cell), { class: 'strong', x: left + index * cell, y: 12 }))
  const lines = rows.map((row, index) => {
    const y = 24 + index * rowHeight
    const name = words(row.name, { class: 'strong', x: 0, y: isNarrow ? y + 12 : y + 20 })
    const bars = row.bars.map((bar, place) => barOf(bar, left + place * cell, y + (isNarrow ? NAME_HEIGHT : 0), (cell - GAP) / most))
    return element('g', { class: inkClass(row.ink) }, name + bars.join(''))
  })
  return picture({ width, height: 24 + rows.length * rowHeight, description }, head.join('') + lines.join(''))
}

function barOf({ value, ought, text }: BarRow['bars'][number], x: number, y: number, factor: number): string {
  const top = y + NAME_HEIGHT
  const bar = element('rect', { class: 'bar', x, y: top, width: Math.max(1, value * factor), height: BAR_HEIGHT, rx: 1.5 })
  const place = x + ought * factor
  const mark = element('line', { class: 'fair', x1: place, x2: place, y1: top - 3, y2: top + BAR_HEIGHT + 3 })
  return words(text, { x, y: y + 12 }) + bar + mark
}

export interface DotRows {
  width: number
  x: Axis
  rows: readonly { name: string; ink: number; dots: readonly { value: number; text: string }[] }[]
  description: string
}

/** The same where there are too many columns: a dot for each of them on the row's line. */
export function dotRows({ width, x, rows, description }: DotRows): string {
  const rowHeight = NAME_HEIGHT + 18
  const height = rows.length * rowHeight + 46
  const none: Axis = { kind: 'linear', domain: { low: 0, high: 1 }, ticks: [], title: '' }
  const frame = frameOf({ width, height, x, y: none, right: 14 })
  const lines = rows.map(({ name, ink, dots }, index) => {
    const y = index * rowHeight + NAME_HEIGHT + 12
    const line = element('line', { class: 'grid', x1: frame.left, x2: frame.right, y1: y, y2: y })
    const circles = dots.map(({ value, text }) =>
      element('circle', { class: 'dot', cx: frame.x.at(value), cy: y, r: 4, opacity: '0.55' }, element('title', {}, escaped(text))),
    )
    return words(name, { class: 'strong', x: 0, y: y - 12 }) + element('g', { class: inkClass(ink) }, line + circles.join(''))
  })
  return picture({ width, height, description }, axes(frame, x, none) + lines.join(''))
}

function shortened(name: string, width: number): string {
  const most = Math.max(2, Math.floor((width - 4) / LETTER))
  return name.length <= most ? name : `${name.slice(0, most - 1)}…`
}
