/** What is around lines: grid, ticks, titles of axes and marks. Pure. */
import { type Axis, scaleOf, type Tick } from './axis.ts'
import type { Scale } from './scale.ts'
import { element, escaped } from './svg.ts'

/** About what a letter of the plots' font takes, in px: without a browser nobody knows better. */
export const LETTER = 6.4

export interface Frame {
  left: number
  right: number
  top: number
  bottom: number
  x: Scale
  y: Scale
}

/** Something that happened at one x, or lasted until another. */
export interface Mark {
  at: number
  until?: number
  text: string
}

export interface FrameWish {
  width: number
  height: number
  x: Axis
  y: Axis
  /** Room to the right of the lines, px. */
  right: number
}

/** Room for words on all sides; what is left is for the lines. */
export function frameOf({ width, height, x, y, right }: FrameWish): Frame {
  const widest = Math.max(...y.ticks.map(({ text }) => text.length), 1)
  const left = Math.round(widest * LETTER + 10)
  const top = y.title === '' ? 8 : 24
  const [end, bottom] = [width - right, height - (x.title === '' ? 20 : 38)]
  return { left, right: end, top, bottom, x: scaleOf(x, [left, end]), y: scaleOf(y, [bottom, top]) }
}

/** Grid and words of both axes. */
export function axes(frame: Frame, x: Axis, y: Axis): string {
  const { left, right, bottom } = frame
  const rows = y.ticks.map(({ at, text }) => {
    const height = frame.y.at(at)
    const line = element('line', { class: 'grid', x1: left, x2: right, y1: height, y2: height })
    return line + words(text, { x: left - 6, y: height + 4, 'text-anchor': 'end' })
  })
  const columns = roomy(x.ticks, frame.x).map(({ at, text }) => {
    const place = frame.x.at(at)
    const line = element('line', { class: 'grid', x1: place, x2: place, y1: bottom, y2: bottom + 4 })
    return line + words(text, { x: place, y: bottom + 16, 'text-anchor': 'middle' })
  })
  const titles = [
    y.title === '' ? '' : words(y.title, { x: 0, y: 12 }),
    x.title === '' ? '' : words(x.title, { x: right, y: bottom + 33, 'text-anchor': 'end' }),
  ]
  return [...rows, ...columns, ...titles].join('')
}

/** Lines and stretches of time with their words at the upper end. */
export function marks(frame: Frame, all: readonly Mark[]): string {
  return all
    .map(({ at, until, text }) => {
      const [begin, end] = [frame.x.at(at), frame.x.at(Math.min(until ?? at, frame.x.domain.high))]
      const area = { x: begin, y: frame.top, width: Math.max(0, end - begin), height: frame.bottom - frame.top }
      const line = element('line', { class: 'mark', x1: begin, x2: begin, y1: frame.top, y2: frame.bottom })
      const isLate = begin + text.length * LETTER > frame.right
      const where = isLate ? { x: begin - 3, 'text-anchor': 'end' } : { x: begin + 3 }
      return (until === undefined ? line : element('rect', { class: 'while', ...area })) + words(text, { ...where, y: frame.top + 10 })
    })
    .join('')
}

export function words(text: string, attributes: Record<string, string | number>): string {
  return text === '' ? '' : element('text', attributes, escaped(text))
}

/** Without those whose words would touch the ones before. */
function roomy(ticks: readonly Tick[], scale: Scale): Tick[] {
  let free = Number.NEGATIVE_INFINITY
  return ticks.filter(({ at, text }) => {
    const half = (text.length * LETTER) / 2
    const place = scale.at(at)
    if (place - half < free) return false
    free = place + half + 8
    return true
  })
}
