const PERCENT = 37
const DOT = 46
const SLASH = 47

/**
 * Brings a path into the one form that routes are matched against and servers are sent (RFC 3986 6.2.2): escapes of
 * unreserved characters are decoded, the hexadecimal digits of all others upper-cased, dot segments resolved, encoded
 * ones too. `%2F`, `%5C` and double slashes keep their meaning and stay. The same string when there is nothing to do.
 * Null when an escape is broken or `..` climbs above the root: answer 400.
 */
export function normalizePath(path: string): string | null {
  let hasDotSegment = false
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i)
    if (code === PERCENT) return normalizeEscaped(path)
    if (code === DOT && i > 0 && path.charCodeAt(i - 1) === SLASH) hasDotSegment = true
  }
  return hasDotSegment ? removeDotSegments(path) : path
}

function normalizeEscaped(path: string): string | null {
  const decoded = decodeUnreserved(path)
  return decoded === null || !decoded.includes('/.') ? decoded : removeDotSegments(decoded)
}

function decodeUnreserved(path: string): string | null {
  let result = ''
  let copied = 0
  for (let at = path.indexOf('%'); at !== -1; at = path.indexOf('%', at + 3)) {
    const code = byteOf(path.charCodeAt(at + 1), path.charCodeAt(at + 2))
    if (code < 0) return null
    result += path.slice(copied, at)
    result += isUnreserved(code) ? String.fromCharCode(code) : path.slice(at, at + 3).toUpperCase()
    copied = at + 3
  }
  const normalized = result + path.slice(copied)
  return normalized === path ? path : normalized
}

/** RFC 3986 5.2.4, but a `..` that has nothing to remove is refused: it can only be an attempt to get out. */
function removeDotSegments(path: string): string | null {
  const segments = path.split('/')
  const kept: string[] = []
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i] as string
    const isLast = i === segments.length - 1
    if (segment === '..' && kept.pop() === undefined) return null
    if (segment !== '.' && segment !== '..') kept.push(segment)
    else if (isLast) kept.push('')
  }
  return `${segments[0]}/${kept.join('/')}`
}

/** -1 when one of them is no hexadecimal digit; charCodeAt past the end gives NaN, which is none. */
function byteOf(high: number, low: number): number {
  const a = hexDigit(high)
  const b = hexDigit(low)
  return a < 0 || b < 0 ? -1 : a * 16 + b
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** RFC 3986 2.3. */
function isUnreserved(code: number): boolean {
  const lower = code | 32
  const isAlphanumeric = (lower >= 97 && lower <= 122) || (code >= 48 && code <= 57)
  return isAlphanumeric || code === 45 || code === DOT || code === 95 || code === 126
}
