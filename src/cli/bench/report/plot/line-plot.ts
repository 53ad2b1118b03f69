/** Lines over two axes as SVG. Knows nothing of what they mean. Pure. */
import type { Axis } from './axis.ts'
import { axes, type Frame, frameOf, LETTER, type Mark, marks, words } from './frame.ts'
import { dashOf, inkClass } from './ink.ts'
import { spreadOut } from './labels.ts'
import { element, escaped, path } from './svg.ts'

export type Point = readonly [x: number, y: number]

export interface Series {
  name: string
  /** Which colour and dash, see `inkClass`. */
  ink: number
  /** Null interrupts the line. */
  points: readonly (Point | null)[]
  /** Smallest and largest y at the x of the points, shown as an area. */
  band?: readonly { x: number; low: number; high: number }[]
  /** Other lines of the same thing, thin: single rounds. */
  thin?: readonly (readonly (Point | null)[])[]
  /** Dots on the points; a hollow one is a doubtful value. */
  dots?: readonly { at: Point; isHollow: boolean; text: string }[]
}

export interface LinePlot {
  width: number
  height: number
  x: Axis
  y: Axis
  series: readonly Series[]
  marks?: readonly Mark[]
  /** x of what went wrong: red ticks at the lower end, with their words for the pointer. */
  faults?: readonly Mark[]
  /** Names at the ends of the lines, or none, where a legend stands beside the plot. */
  labels: 'ends' | 'none'
  /** Heading inside, for small plots that stand beside each other. */
  heading?: string
  /** What the picture shows, for who does not see it. */
  description: string
}

const LABEL_HEIGHT = 15
const HEADING_HEIGHT = 18

/** A whole `<svg>`; the page needs `plotStyle()`. */
export function linePlot(plot: LinePlot): string {
  const longest = Math.max(0, ...plot.series.map(({ name }) => name.length))
  const right = plot.labels === 'ends' ? Math.round(longest * LETTER + 46) : 20
  const headed = plot.heading === undefined ? 0 : HEADING_HEIGHT
  const frame = frameOf({ ...plot, height: plot.height - headed, right })
  const inside = [
    axes(frame, plot.x, plot.y),
    marks(frame, plot.marks ?? []),
    faults(frame, plot.faults ?? []),
    ...plot.series.map((series) => area(frame, series)),
    ...plot.series.map((series) => line(frame, series)),
    plot.labels === 'ends' ? endLabels(frame, plot.series) : '',
  ].join('')
  const heading = plot.heading === undefined ? '' : words(plot.heading, { class: 'strong', x: 0, y: 12 })
  const body = headed === 0 ? inside : heading + element('g', { transform: `translate(0 ${headed})` }, inside)
  return picture(plot, body)
}

/** `<svg>` with its description. */
export function picture({ width, height, description }: Pick<LinePlot, 'width' | 'height' | 'description'>, inside: string): string {
  return element('svg', { class: 'plot', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': description }, inside)
}

function area(frame: Frame, { ink, band = [], thin = [] }: Series): string {
  const high = band.map(({ x, high }): Point => [frame.x.at(x), frame.y.at(high)])
  const low = band.map(({ x, low }): Point => [frame.x.at(x), frame.y.at(low)])
  const shape = band.length < 2 ? '' : element('path', { class: 'band', d: `${path([...high, ...low.toReversed()])}Z` })
  return element('g', { class: inkClass(ink) }, shape + thin.map((points) => stroke(frame, points, 'thin')).join(''))
}

function line(frame: Frame, { name, ink, points, dots = [] }: Series): string {
  const circles = dots.map(({ at: [x, y], isHollow, text }) =>
    element('circle', { class: isHollow ? 'hollow' : 'dot', cx: frame.x.at(x), cy: frame.y.at(y), r: 3.2 }, title(text)),
  )
  return element('g', { class: inkClass(ink) }, title(name) + stroke(frame, points, 'line', dashOf(ink)) + circles.join(''))
}

function stroke(frame: Frame, points: readonly (Point | null)[], kind: string, dash?: string): string {
  const d = path(points.map((point) => (point === null ? null : [frame.x.at(point[0]), frame.y.at(point[1])])))
  return d === '' ? '' : element('path', { class: kind, d, 'stroke-dasharray': dash })
}

/** Names beside the last points, moved apart, each with a thin line from where it belongs. */
function endLabels(frame: Frame, series: readonly Series[]): string {
  const ends = series.flatMap((one) => {
    const last = one.points.findLast((point) => point !== null)
    return last ? [{ series: one, x: frame.x.at(last[0]), text: one.name, y: frame.y.at(last[1]) }] : []
  })
  const places = spreadOut(ends, LABEL_HEIGHT, frame.top, frame.bottom)
  const column = frame.right + 42
  return ends
    .map((end, index) => {
      const y = places[index] ?? end.y
      const bend: Point[] = [
        [end.x + 4, end.y],
        [frame.right + 8, end.y],
        [column - 22, y],
      ]
      const lead = element('path', { class: 'lead', d: path(bend) })
      const sample = element('path', {
        class: 'line',
        d: path([
          [column - 20, y],
          [column - 4, y],
        ]),
        'stroke-dasharray': dashOf(end.series.ink),
      })
      return element('g', { class: inkClass(end.series.ink) }, lead + sample + words(end.text, { class: 'label', x: column, y: y + 4 }))
    })
    .join('')
}

function faults(frame: Frame, all: readonly Mark[]): string {
  const bars = all.map(({ at, until, text }) => {
    const begin = frame.x.at(at)
    const width = Math.max(2, frame.x.at(until ?? at) - begin)
    return element('rect', { class: 'bad', x: begin, y: frame.bottom - 5, width, height: 5 }, title(text))
  })
  return bars.join('')
}

function title(text: string): string {
  return text === '' ? '' : element('title', {}, escaped(text))
}
