import { expected, type Parsed, parsed, refused } from './parsed.ts'

/** The name of a listener or an upstream: it appears in commands and metrics as `upstream/server`, so it holds no slash. */
export function parseName(text: string): Parsed<string> {
  const isName = /^[A-Za-z0-9_][\w.-]{0,63}$/.test(text)
  return isName ? parsed(text) : expected('a name of at most 64 letters, digits, dots, dashes and underscores', text)
}

/** The name of a server: what an address may look like is allowed too, as the address is the name where none is given. */
export function parseServerName(text: string): Parsed<string> {
  return /^[^\s\u0000-\u001f\u007f]{1,128}$/.test(text) ? parsed(text) : expected('a name of at most 128 characters without spaces', text)
}

/** A protocol name of ALPN (RFC 7301 section 3.1): at most 255 bytes; such as are in use hold neither space nor comma. */
export function parseAlpnName(text: string): Parsed<string> {
  return /^[!-+\--~]{1,255}$/.test(text) ? parsed(text) : expected('a protocol name such as h2, without spaces and commas', text)
}

/** What signs cookies: at least 16 characters. Messages never repeat it. */
export function parseSecret(text: string): Parsed<string> {
  return text.length >= 16 ? parsed(text) : refused('expected a secret of at least 16 characters')
}

/** A status of our own error answers, as a key. */
export function parseErrorStatus(text: string): Parsed<string> {
  return /^[45]\d\d$/.test(text) ? parsed(text) : expected('a status from 400 to 599', text)
}
