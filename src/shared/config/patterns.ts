import { ipFamily, isHostName } from './address.ts'
import type { PathMatch } from './model.ts'
import { expected, type Parsed, parsed, refused } from './parsed.ts'

/** An exact host, or `*.` and a domain for every host below it. Lower case, without port. */
export function parseHostPattern(text: string): Parsed<string> {
  const host = text.toLowerCase()
  if (host === '*') return expected('a host or *.domain', text, 'leave host out to match every host')
  if (/^\*\./.test(host)) return isHostName(host.slice(2)) ? parsed(host) : expected('a domain after *.', text)
  if (isHostName(host) || ipFamily(host) === 4 || (/^\[.*\]$/.test(host) && ipFamily(host.slice(1, -1)) === 6)) return parsed(host)
  return expected('a host or *.domain', text, hostHint(host))
}

/** `/x/` a prefix, `=/x` exact, `~^/x` a regular expression. */
export function parsePathPattern(text: string): Parsed<PathMatch> {
  if (text.startsWith('~')) return parseRegexPath(text.slice(1).trimStart())
  const isExact = text.startsWith('=')
  const value = isExact ? text.slice(1) : text
  const checked = parseRootedPath(value)
  if (!checked.ok) return expected('a path: /prefix/, =/exact or ~^/regex', text, value.startsWith('/') ? checked.message : null)
  return parsed({ kind: isExact ? 'exact' : 'prefix', value })
}

/** A path that begins with a slash and has neither query nor fragment. */
export function parseRootedPath(text: string): Parsed<string> {
  if (!text.startsWith('/')) return expected('a path that begins with /', text)
  if (/[?#]/.test(text)) return refused('a path holds no ? or #', 'match the query with query:')
  return /[\u0000-\u0020\u007f]/.test(text) ? refused('a path holds no spaces or control characters', 'encode them with %') : parsed(text)
}

/** The target of a health check: a path, perhaps with a query. */
export function parseCheckTarget(text: string): Parsed<string> {
  if (!text.startsWith('/')) return expected('a path that begins with /', text)
  // It stands in a request line as it is written.
  return /^[!-"$-~]+$/.test(text) ? parsed(text) : refused('the path of a check holds only ASCII, no spaces and no #', 'encode them with %')
}

/** A regular expression in JavaScript syntax that compiles. */
export function parseRegex(text: string): Parsed<string> {
  if (text === '') return expected('a regular expression', text)
  try {
    new RegExp(text)
    return parsed(text)
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replace(/^Invalid regular expression: /, '')
    return refused(`not a valid regular expression: ${reason}`)
  }
}

/** Where a redirect goes: an absolute URL or a path; {placeholders} are allowed in it. */
export function parseRedirectTarget(text: string): Parsed<string> {
  if (/[\u0000-\u0020\u007f]/.test(text)) return refused('a redirect target holds no spaces or control characters', 'encode them with %')
  // A Location header with other characters would have to be guessed at by clients.
  if (/[^\u0021-\u007e]/.test(text)) return refused('a redirect target holds only ASCII characters', 'encode the others with %')
  const valid = /^(\/|\{|https?:\/\/[^/])/i.test(text)
  return valid ? parsed(text) : expected('a path that begins with /, or a URL with http:// or https://', text)
}

/** `preserve`, `server`, or a Host to send as it stands, with a port if need be. */
export function parseHostHeader(text: string): Parsed<string> {
  if (text === 'preserve' || text === 'server') return parsed(text)
  return isHostAndPort(text) ? parsed(text) : expected('preserve, server, or a host name', text)
}

/** A Host to send as it stands, with a port if need be. */
export function parseHost(text: string): Parsed<string> {
  return isHostAndPort(text) ? parsed(text) : expected('a host name, with a port if need be', text)
}

function isHostAndPort(text: string): boolean {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text)
  const host = match?.[1] ?? ''
  const isHost = isHostName(host) || ipFamily(host) === 4 || (ipFamily(host.replace(/^\[(.*)\]$/, '$1')) === 6 && host.startsWith('['))
  return match !== null && isHost && Number(match[2] ?? 1) <= 65_535
}

function parseRegexPath(pattern: string): Parsed<PathMatch> {
  const regex = parseRegex(pattern)
  return regex.ok ? parsed({ kind: 'regex', value: regex.value }) : regex
}

function hostHint(host: string): string | null {
  if (/^https?:\/\//.test(host)) return 'write the host without scheme and path'
  if (/:\d+$/.test(host)) return 'write the host without port'
  return /[^\u0000-\u007f]/.test(host) ? 'write international names in their xn-- form' : null
}
