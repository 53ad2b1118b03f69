/** Names beside swatches of their lines, as HTML. Pure. */
import { dashOf, inkClass } from './ink.ts'
import { element, escaped } from './svg.ts'

/** A short piece of the line. */
export function swatch(ink: number): string {
  const line = element('line', { x1: 1, x2: 21, y1: 5, y2: 5, stroke: 'var(--ink)', 'stroke-width': 2.4, 'stroke-dasharray': dashOf(ink) })
  return element('svg', { class: `swatch ${inkClass(ink)}`, viewBox: '0 0 22 10', width: 22, height: 10, 'aria-hidden': 'true' }, line)
}

export function legend(series: readonly { name: string; ink: number }[]): string {
  const items = series.map(({ name, ink }) => `<li>${swatch(ink)} ${escaped(name)}</li>`)
  return `<ul class="legend">${items.join('')}</ul>`
}
