/** What a redirect may be built from. Read only where the target has the placeholder. */
export interface RedirectSource {
  readonly scheme: string
  /** Without port. */
  readonly host: string
  /** Port of the listener. */
  readonly port: number
  /** Normalised. */
  readonly path: string
  /** Without the '?'. */
  readonly query: string
  readonly clientIp: string
}

export type CompiledRedirect =
  | { readonly kind: 'static'; readonly location: string }
  | { readonly kind: 'dynamic'; location(source: RedirectSource): string }

type Part = (source: RedirectSource) => string

const placeholders: Record<string, Part> = {
  host: (source) => source.host,
  path: (source) => safePath(source.path),
  query: (source) => source.query,
  '?query': (source) => (source.query === '' ? '' : `?${source.query}`),
  scheme: (source) => source.scheme,
  port: (source) => String(source.port),
  'listener.port': (source) => String(source.port),
  'client.ip': (source) => source.clientIp,
  'request.uri': (source) => safePath(source.path) + (source.query === '' ? '' : `?${source.query}`),
}

/** Names that `{…}` may hold in the target of a redirect. */
export const redirectPlaceholders: readonly string[] = Object.keys(placeholders).filter((name) => name !== '?query')

/** Compiles the target of a redirect. Braces that hold no known name are sent as they stand; the config check warns of them. */
export function compileRedirect(to: string): CompiledRedirect {
  // `?{query}` leaves no lone '?' behind when there is no query.
  const pieces = to
    .replaceAll('?{query}', '{?query}')
    .split(/(\{[^{}]*\})/)
    .filter((piece) => piece !== '')
  const parts = pieces.map((piece) => placeholderNamed(piece) ?? (() => piece))
  if (pieces.every((piece) => placeholderNamed(piece) === undefined)) return { kind: 'static', location: encodeUnsafe(to) }
  return { kind: 'dynamic', location: (source) => encodeUnsafe(sameOrigin(to, joinParts(parts, source))) }
}

function placeholderNamed(piece: string): Part | undefined {
  const name = piece.slice(1, -1)
  return piece.startsWith('{') && Object.hasOwn(placeholders, name) ? placeholders[name] : undefined
}

function joinParts(parts: readonly Part[], source: RedirectSource): string {
  let location = ''
  for (const part of parts) location += part(source)
  return location
}

/** Browsers read a backslash as a slash, so a raw one could turn a path into another host. */
function safePath(path: string): string {
  return path.includes('\\') ? path.replaceAll('\\', '%5C') : path
}

/** `//elsewhere` in a path must not become the host of the target: only the config may name another host. */
function sameOrigin(to: string, location: string): string {
  return location.startsWith('//') && !to.startsWith('//') ? location.replace(/^\/+/, '/') : location
}

/** The parser lets no control character or blank through; whatever comes here, none reaches the header. */
function encodeUnsafe(location: string): string {
  for (let i = 0; i < location.length; i++) {
    const code = location.charCodeAt(i)
    if (code <= 32 || code === 127) return location.replace(/[\0-\x20\x7f]/g, escapeChar)
  }
  return location
}

function escapeChar(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}
