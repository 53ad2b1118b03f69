const SPACE = 32
const TAB = 9

/** First value of a query parameter, percent-decoded, '+' read as a space; '' when it has no '='; undefined when absent. */
export function queryParameter(query: string, name: string): string | undefined {
  // The next '=' is searched only once it was passed, or a query of many '&' would be read again from each of them.
  let equals = query.indexOf('=')
  for (let at = 0; at < query.length; ) {
    let end = query.indexOf('&', at)
    if (end === -1) end = query.length
    if (equals !== -1 && equals < at) equals = query.indexOf('=', at)
    const nameEnd = equals === -1 || equals > end ? end : equals
    if (isParameter(query, at, nameEnd, name)) return decodeForm(query.slice(Math.min(nameEnd + 1, end), end))
    at = end + 1
  }
  return undefined
}

/** First value of a cookie in a Cookie header (RFC 6265 4.2.1), without surrounding quotes; undefined when absent. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined
  for (let at = 0; at < header.length; ) {
    let end = header.indexOf(';', at)
    if (end === -1) end = header.length
    const start = skipBlanks(header, at, end)
    if (header.startsWith(name, start) && header.charCodeAt(start + name.length) === 61 && start + name.length < end) {
      return unquote(header.slice(start + name.length + 1, end).trim())
    }
    at = end + 1
  }
  return undefined
}

function isParameter(query: string, from: number, to: number, name: string): boolean {
  if (to - from === name.length) return query.startsWith(name, from)
  // Only an escaped name can be longer than the plain one.
  if (to - from < name.length) return false
  const sent = query.slice(from, to)
  return (sent.includes('%') || sent.includes('+')) && decodeForm(sent) === name
}

/** A broken escape is left as it was sent. */
function decodeForm(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}

function skipBlanks(text: string, from: number, to: number): number {
  let at = from
  while (at < to && (text.charCodeAt(at) === SPACE || text.charCodeAt(at) === TAB)) at++
  return at
}

function unquote(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
}
