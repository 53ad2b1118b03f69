/** SVG as text. Pure. */

export type Attributes = Record<string, string | number | undefined>

/** An element. `inside` is SVG already: what comes from elsewhere goes through `escaped` first. */
export function element(name: string, attributes: Attributes, inside = ''): string {
  const words = Object.entries(attributes).map(([key, value]) => (value === undefined ? '' : ` ${key}="${attribute(value)}"`))
  return inside === '' ? `<${name}${words.join('')}/>` : `<${name}${words.join('')}>${inside}</${name}>`
}

/** For text between tags and in quoted attributes, of SVG and of HTML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

/** `M0 1L2 3M4 5`: a line through the points, interrupted where one is null. */
export function path(points: readonly (readonly [number, number] | null)[]): string {
  let isOpen = false
  let text = ''
  for (const point of points) {
    if (point !== null) text += `${isOpen ? 'L' : 'M'}${tenths(point[0])} ${tenths(point[1])}`
    isOpen = point !== null
  }
  return text
}

/** A tenth of a pixel is more than anybody sees. */
export function tenths(value: number): number {
  return Math.round(value * 10) / 10
}

function attribute(value: string | number): string {
  return typeof value === 'number' ? String(tenths(value)) : escaped(value)
}
