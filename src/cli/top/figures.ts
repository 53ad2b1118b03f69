/** Figures as `weir top` writes them. Three digits are as much as the histograms know. Pure. */
import { grouped } from '../words.ts'

/** Microseconds: `84 µs`, `1.24 ms`, `12.4 ms`, `1.20 s`; a dash where nothing was measured. */
export function micros(value: number | null | undefined): string {
  if (value === null || value === undefined) return '-'
  if (value < 999.5) return `${Math.round(value)} µs`
  return value < 999_500 ? `${digits(value / 1e3)} ms` : `${digits(value / 1e6)} s`
}

/** `0`, `3.2`, `1,204`. */
export function rate(perSecond: number): string {
  return perSecond > 0 && perSecond < 9.95 ? perSecond.toFixed(1) : grouped(Math.round(perSecond))
}

/** A share from 0 to 1: `0%`, `<0.01%`, `0.21%`, `12%`; only what is whole is `100%`. */
export function share(value: number): string {
  if (value === 0) return '0%'
  if (value < 0.0001) return '<0.01%'
  const percent = value * 100
  if (percent > 99 && percent < 100) return `${Math.floor(percent * 100) / 100}%`
  return `${Number(percent.toFixed(percent < 1 ? 2 : percent < 10 ? 1 : 0))}%`
}

/** Bytes per second: `812 B/s`, `1.26 MB/s`. */
export function flow(bytes: number): string {
  const [size, unit] = (
    [
      [1e9, 'GB'],
      [1e6, 'MB'],
      [1e3, 'kB'],
    ] as const
  ).find(([least]) => bytes >= least) ?? [1, 'B']
  return `${size === 1 ? Math.round(bytes) : digits(bytes / size)} ${unit}/s`
}

function digits(value: number): string {
  return value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0)
}
