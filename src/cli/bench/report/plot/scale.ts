/** From values to pixels, and where ticks stand. Pure. */

export interface Domain {
  low: number
  high: number
}

export interface Scale {
  kind: 'linear' | 'log'
  domain: Domain
  /** Pixel of a value. Values below the domain of a log scale are drawn at its lower end. */
  at(value: number): number
}

/** Both ends of `pixels` may be in either order. A domain without extent gets one. */
export function linearScale({ low, high }: Domain, pixels: readonly [number, number]): Scale {
  const end = high > low ? high : low + (Math.abs(low) || 1)
  const factor = (pixels[1] - pixels[0]) / (end - low)
  return { kind: 'linear', domain: { low, high: end }, at: (value) => pixels[0] + (value - low) * factor }
}

/** Needs a domain above 0. */
export function logScale({ low, high }: Domain, pixels: readonly [number, number]): Scale {
  if (!(low > 0)) throw new RangeError(`a log scale begins above 0, not at ${low}`)
  const end = high > low ? high : low * 10
  const factor = (pixels[1] - pixels[0]) / Math.log(end / low)
  return { kind: 'log', domain: { low, high: end }, at: (value) => pixels[0] + Math.log(Math.max(value, low) / low) * factor }
}

/** Steps of 1, 2 or 5 times a power of ten within the domain: about `count` of them, never more than twice that. */
export function linearTicks({ low, high }: Domain, count: number): number[] {
  if (!(high > low)) return [low]
  const raw = (high - low) / Math.max(1, count)
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = power * ([1, 2, 5].find((factor) => factor * power >= raw * 0.999) ?? 10)
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)]
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => exact((first + index) * step))
}

/** Powers of ten within the domain; with 2 and 5 times those where it spans few of them; every second or third one where it spans many. */
export function logTicks({ low, high }: Domain, count: number): number[] {
  const decades = Math.log10(high / low)
  if (decades < 0.7) return linearTicks({ low, high }, count)
  const factors = decades * 3 <= count * 1.4 ? [1, 2, 5] : decades * 2 <= count * 1.4 ? [1, 3] : [1]
  const each = factors.length > 1 ? 1 : Math.max(1, Math.ceil(decades / count))
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    if (power % each !== 0) continue
    ticks.push(...factors.map((factor) => exact(factor * 10 ** power)))
  }
  return ticks.filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9))
}

/** The domain widened to the ticks around it, so that lines do not touch the frame. */
export function widened({ low, high }: Domain, count: number): Domain {
  if (!(high > low)) return { low: Math.min(0, low), high: high > 0 ? high * 1.2 : low + 1 }
  const [a = low, b = high] = linearTicks({ low, high }, count)
  const step = b > a ? b - a : high - low
  return { low: exact(Math.floor(low / step + 1e-9) * step), high: exact(Math.ceil(high / step - 1e-9) * step) }
}

/** Without the traces of binary fractions. */
function exact(value: number): number {
  return Number(value.toPrecision(12))
}
