/** Numbers of several rounds as people read them. Pure. */

/** The middle value, or the mean of the two in the middle. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]]
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2
}

/** Half the distance from the smallest to the largest value, as a share of the median; null where there is nothing to tell it from. */
export function spread(values: readonly number[]): number | null {
  const middle = median(values)
  if (values.length < 2 || !(middle > 0)) return null
  return (Math.max(...values) - Math.min(...values)) / 2 / middle
}

/** Three significant digits, whole numbers from 100 on, thousands apart: `0.123`, `1.23`, `12.3`, `1,234`. */
export function brief(value: number): string {
  if (!Number.isFinite(value)) return '-'
  const size = Math.abs(value)
  if (size >= 99.95) return Math.round(value).toLocaleString('en-US')
  if (size < 0.0005) return '0'
  return size < 1 ? value.toFixed(3) : value.toPrecision(3)
}

/** A whole number: `1,234`. */
export function count(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '-'
}

/** Of a tick, which is a round number: `0.05`, `2`, `1,000`. */
export function tickText(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 6 })
}

/** The median with its spread behind it: `12.3 ±4%`. */
export function withSpread(values: readonly number[]): string {
  const share = spread(values)
  return share === null ? brief(median(values)) : `${brief(median(values))} ±${percent(share)}`
}

/** `4%`, `0.02%`, `<0.001%`; exactly nothing is `0%`. */
export function percent(share: number): string {
  const value = share * 100
  if (value === 0) return '0%'
  if (value < 0.001) return '<0.001%'
  return `${value < 0.095 ? value.toFixed(3) : value < 0.95 ? value.toFixed(1) : value.toFixed(0)}%`
}
