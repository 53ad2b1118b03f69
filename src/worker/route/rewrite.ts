import type { Rewrite } from '../../shared/config/model.ts'

/**
 * How the path of a request changes on its way to the server. A static rewrite is executed natively, by the rule of
 * `applyRewrite`: `strip` and `add` are '' or start with a slash and do not end in one.
 */
export type CompiledRewrite =
  | { readonly kind: 'static'; readonly strip: string; readonly add: string }
  | { readonly kind: 'dynamic'; apply(path: string): string }

/** Strips first, then applies the regex, then adds; null changes nothing. Throws a SyntaxError when the regex is broken. */
export function compileRewrite(rewrite: Rewrite | null): CompiledRewrite {
  if (rewrite === null) return { kind: 'static', strip: '', add: '' }
  const strip = withoutLastSlash(rewrite.stripPrefix ?? '')
  const add = withoutLastSlash(rewrite.addPrefix ?? '')
  if (rewrite.regex === null) return { kind: 'static', strip, add }
  const pattern = new RegExp(rewrite.regex.pattern)
  const to = encodeUnsafe(rewrite.regex.to)
  return { kind: 'dynamic', apply: (path) => add + withFirstSlash(stripPrefix(path, strip).replace(pattern, to)) }
}

/** The path that is sent to the server: starts with '/' whenever `path` does. */
export function applyRewrite(rewrite: CompiledRewrite, path: string): string {
  return rewrite.kind === 'dynamic' ? rewrite.apply(path) : rewrite.add + stripPrefix(path, rewrite.strip)
}

/** Joins path and query; a rewritten path may bring a query of its own. */
export function targetOf(path: string, query: string): string {
  if (query === '') return path
  return `${path}${path.includes('?') ? '&' : '?'}${query}`
}

/** Whole segments only: `/v1` leaves `/v1x` alone. What is left starts with '/'. */
function stripPrefix(path: string, prefix: string): string {
  if (prefix === '' || !path.startsWith(prefix)) return path
  if (path.length === prefix.length) return '/'
  return path[prefix.length] === '/' ? path.slice(prefix.length) : path
}

function withoutLastSlash(prefix: string): string {
  return prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
}

function withFirstSlash(path: string): string {
  return path.startsWith('/') ? path : `/${path}`
}

/** A blank, a control character or a '#' in the config would break the request line or be cut off. */
function encodeUnsafe(text: string): string {
  return text.replace(/[\0-\x20\x7f#]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}
