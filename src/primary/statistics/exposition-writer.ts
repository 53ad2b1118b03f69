/** Writes metrics of the catalogue as scrapers read them: Prometheus text format 0.0.4, or OpenMetrics 1.0. */
import { classicBoundsUs, type MetricName, type MetricRow, metrics } from '../../shared/metrics.ts'
import type { Classic } from './classic-buckets.ts'

export type ExpositionFormat = 'text' | 'openmetrics'

export const contentTypes: Readonly<Record<ExpositionFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

export class ExpositionWriter {
  /** Lines with a value. */
  samples = 0
  readonly #format: ExpositionFormat
  readonly #bounds: readonly string[]
  readonly #parts: string[] = []
  #name: MetricName = 'weir_build_info'
  #row: MetricRow = metrics.weir_build_info
  #hasHeader = false

  constructor(format: ExpositionFormat) {
    this.#format = format
    this.#bounds = classicBoundsUs.map((us) => boundText(us, format))
  }

  /** What follows is of this metric. One without samples is not mentioned. */
  begin(name: MetricName): void {
    this.#name = name
    this.#row = metrics[name]
    this.#hasHeader = false
  }

  /** `labels`: values in the order of the catalogue. */
  sample(labels: readonly (string | number)[], value: number, suffix = ''): void {
    this.#header()
    const pairs = this.#pairs(labels)
    this.#parts.push(`${this.#name}${suffix}${pairs === '' ? '' : `{${pairs}}`} ${numberText(value)}\n`)
    this.samples++
  }

  histogram(labels: readonly (string | number)[], { cumulative, sumSeconds }: Classic): void {
    this.#header()
    const name = this.#name
    const pairs = this.#pairs(labels)
    const begin = `${name}_bucket{${pairs}${pairs === '' ? '' : ','}le="`
    const all = numberText(cumulative[this.#bounds.length] as number)
    let text = ''
    for (const [i, bound] of this.#bounds.entries()) text += `${begin}${bound}"} ${numberText(cumulative[i] as number)}\n`
    const own = pairs === '' ? '' : `{${pairs}}`
    text += `${begin}+Inf"} ${all}\n${name}_sum${own} ${numberText(sumSeconds)}\n${name}_count${own} ${all}\n`
    this.#parts.push(text)
    this.samples += this.#bounds.length + 3
  }

  end(): string {
    if (this.#format === 'openmetrics') this.#parts.push('# EOF\n')
    return this.#parts.join('')
  }

  #header(): void {
    if (this.#hasHeader) return
    this.#hasHeader = true
    const { type, unit, help } = this.#row
    const isOpen = this.#format === 'openmetrics'
    // OpenMetrics names the family, of which a counter's samples are `_total` and an info's `_info`.
    const family = isOpen ? this.#name.replace(/_(total|info)$/, '') : this.#name
    this.#parts.push(`# HELP ${family} ${helpText(help, isOpen)}\n# TYPE ${family} ${type === 'info' && !isOpen ? 'gauge' : type}\n`)
    if (isOpen && unit !== 'none' && family.endsWith(`_${unit}`)) this.#parts.push(`# UNIT ${family} ${unit}\n`)
  }

  #pairs(values: readonly (string | number)[]): string {
    return this.#row.labels.map((label, i) => `${label}="${labelText(String(values[i] ?? ''))}"`).join(',')
  }
}

/** A value of a label: any character may come in a name, none may end the text. */
function labelText(text: string): string {
  return /["\\\n]/.test(text) ? text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : text
}

function helpText(text: string, isOpen: boolean): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return isOpen ? escaped.replaceAll('"', '\\"') : escaped
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

/** Seconds; OpenMetrics wants a decimal point. */
function boundText(us: number, format: ExpositionFormat): string {
  const text = (us / 1e6).toFixed(6).replace(/0+$/, '')
  const trimmed = text.endsWith('.') ? `${text}0` : text
  return format === 'text' ? trimmed.replace(/\.0$/, '') : trimmed
}
