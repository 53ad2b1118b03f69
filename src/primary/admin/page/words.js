// Figures as people read them. Three digits are as much as the histograms know.

const NONE = '–'

/** Microseconds: `84 µs`, `1.24 ms`, `12.4 ms`, `1.2 s`; a dash where nothing was measured. */
export function micros(value) {
  if (value === null || value === undefined) return NONE
  if (value < 999.5) return `${Math.round(value)} µs`
  if (value < 999_500) return `${digits(value / 1e3)} ms`
  return `${digits(value / 1e6)} s`
}

/** `0`, `3.2`, `1,204`. */
export function rate(perSecond) {
  return perSecond > 0 && perSecond < 9.95 ? perSecond.toFixed(1) : grouped(Math.round(perSecond))
}

/** `1,204`, the same everywhere in the world. */
export function grouped(value) {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 })
}

/** A share from 0 to 1: `0%`, `<0.01%`, `0.21%`, `12%`, `99.98%`; only what is whole is `100%`. */
export function share(value) {
  if (value === 0) return '0%'
  if (value < 0.0001) return '<0.01%'
  const percent = value * 100
  if (percent > 99 && percent < 100) return `${Math.floor(percent * 100) / 100}%`
  return `${Number(percent.toFixed(percent < 1 ? 2 : percent < 10 ? 1 : 0))}%`
}

/** Bytes per second: `812 B/s`, `1.2 MB/s`. */
export function flow(bytes) {
  const [size, unit] = [
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
  ].find(([least]) => bytes >= least) ?? [1, 'B']
  return `${size === 1 ? Math.round(bytes) : digits(bytes / size)} ${unit}/s`
}

/** Seconds: `12 s`, `3 m 12 s`, `5 h 2 m`, `3 d 4 h`. */
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3_600) return `${Math.floor(whole / 60)} m ${whole % 60} s`
  if (whole < 86_400) return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} m`
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3_600)} h`
}

/** `1 request`, `2 requests`. */
export function counted(count, noun) {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`
}

function digits(value) {
  return value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0)
}
