/** Numbers, times and foreign text as people read them. Pure. */

/** `17 exchanges`, `1 exchange`, `1,204 exchanges`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${grouped(count)} ${count === 1 ? noun : plural}`
}

/** `1,204`, the same everywhere in the world. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 3 })
}

/** How long: `0.8 ms`, `12 ms`, `4.2 s`, `3 m 12 s`, `5 h 2 m`, `3 d 4 h`. */
export function span(ms: number): string {
  if (ms < 999.5) return `${Number(ms < 9.95 ? ms.toFixed(1) : ms.toFixed(0))} ms`
  if (ms < 59_950) return `${Number((ms / 1000).toFixed(1))} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3_600) return pair(seconds, 60, ['m', 's'])
  return seconds < 86_400 ? pair(Math.floor(seconds / 60), 60, ['h', 'm']) : pair(Math.floor(seconds / 3_600), 24, ['d', 'h'])
}

/** The same, coarse, for tables: `4 s ago`, `3 m ago`. */
export function ago(ms: number): string {
  const [, amount, unit] = /^(\d+)\S* (\S+)/.exec(span(Math.max(1_000, ms))) ?? []
  return `${amount} ${unit} ago`
}

/** Text from elsewhere: nothing of it may steer the terminal or break the line. */
export function printable(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd')
}

function pair(value: number, base: number, [large, small]: [string, string]): string {
  const rest = value % base
  return rest === 0 ? `${value / base} ${large}` : `${Math.floor(value / base)} ${large} ${rest} ${small}`
}
