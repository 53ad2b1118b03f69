import { expected, type Parsed, parsed, refused } from './parsed.ts'

/** Headers that frame a message or belong to one connection: weir writes them itself (RFC 9110 section 7.6.1, RFC 9112 section 6). */
const ownHeaders = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** A token of RFC 9110 section 5.6.2; the result is in lower case. */
export function parseHeaderName(text: string): Parsed<string> {
  return isToken(text) ? parsed(text.toLowerCase()) : expected("a header name (letters, digits and !#$%&'*+-.^_`|~)", text)
}

/** The name of a header that an edit may set, add or remove; its case is kept. */
export function parseEditedHeader(text: string): Parsed<string> {
  const name = parseHeaderName(text)
  if (!name.ok) return name
  if (name.value === 'host')
    return refused('the Host header is not set through header edits', 'use "host: server" or "host: name" of the route')
  if (ownHeaders.has(name.value)) return refused(`${text} is written by weir itself and cannot be changed`, 'remove it')
  return parsed(text)
}

/** A header of a health check; its Host has an option of its own. */
export function parseCheckHeader(text: string): Parsed<string> {
  if (text.toLowerCase() === 'host') return refused('the Host header is not set here', 'use host of the health check')
  return parseEditedHeader(text)
}

/** A header of an answer of our own; its Content-Type has an option of its own. */
export function parseAnswerHeader(text: string): Parsed<string> {
  if (text.toLowerCase() === 'content-type') return refused('Content-Type is not set here', 'use contentType of the answer')
  return parseEditedHeader(text)
}

/** Field content of RFC 9110 section 5.5: no control characters but tab, nothing above U+00FF, no space at the ends. */
export function parseHeaderValue(text: string): Parsed<string> {
  // The value may be a secret from the environment, so the message does not repeat it.
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text)) return refused('a header value must not hold control characters or line breaks')
  if (/[^\u0000-\u00ff]/.test(text)) return refused('a header value must not hold characters above U+00FF', 'encode them')
  return text.trim() === text ? parsed(text) : refused('a header value must not begin or end with a space')
}

/** A method is a token; the result is in upper case. */
export function parseMethod(text: string): Parsed<string> {
  return isToken(text) ? parsed(text.toUpperCase()) : expected('a method such as GET', text)
}

/** The name of a cookie, a token of RFC 6265 section 4.1.1; its case matters. */
export function parseCookieName(text: string): Parsed<string> {
  return isToken(text) ? parsed(text) : expected('a cookie name', text)
}

function isToken(text: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(text)
}
