import { type Static, type TObject, Type } from 'typebox'
import type { Match } from '../model.ts'
import { type Meaning, mapOf, oneOrMany, optional, required, section, text } from './option.ts'

const regexMatch = section({
  regex: required(text('regex'), { text: 'Regular expression that is searched in the value.', reload: 'next-exchange' }),
})
const valueMatch = Type.Union([
  Type.Boolean(),
  text('text'),
  regexMatch,
  Type.Array(Type.Union([text('text'), regexMatch]), { minItems: 1 }),
])

const conditions = {
  host: optional(oneOrMany(text('hostPattern')), {
    text: 'Hosts, exact or `*.domain`; any of them. Without port.',
    reload: 'next-exchange',
  }),
  path: optional(oneOrMany(text('pathPattern')), {
    text: 'Paths: `/x/` a prefix, `=/x` exact, `~^/x` a regular expression; any of them.',
    reload: 'next-exchange',
  }),
  method: optional(oneOrMany(text('method')), { text: 'Methods; any of them.', reload: 'next-exchange' }),
  header: optional(mapOf('headerName', valueMatch), {
    text: 'Headers by name: `true` present, `false` absent, a text equal, `{ regex }` found in it, a list any of them; all names must match.',
    reload: 'next-exchange',
  }),
  query: optional(mapOf('queryName', valueMatch), { text: 'Query parameters by name, as `header`.', reload: 'next-exchange' }),
  cookie: optional(mapOf('cookieName', valueMatch), { text: 'Cookies by name, as `header`.', reload: 'next-exchange' }),
  clientIp: optional(oneOrMany(text('addressRange')), {
    text: 'Addresses or CIDR ranges of clients; any of them.',
    reload: 'next-exchange',
  }),
  port: optional(oneOrMany(text('portRange')), {
    text: 'Ports of the listener, or ranges `first-last`, that the client connected to; any of them.',
    reload: 'next-exchange',
  }),
  sni: optional(oneOrMany(text('hostPattern')), {
    text: 'Server names of the ClientHello, exact or `*.domain`; any of them. Only with protocol `tls`, or `tcp` with `tls`.',
    reload: 'next-exchange',
  }),
  alpn: optional(oneOrMany(text('alpnName')), {
    text: 'Protocols such as `h2`; the ClientHello offers any of them. Only with protocol `tls`, or `tcp` with `tls`.',
    reload: 'next-exchange',
  }),
  proxyTlv: optional(mapOf('tlvType', valueMatch), {
    text: 'TLVs of the PROXY header by their type (`authority`, `alpn`, `unique-id`, `netns`, `aws`, `0xNN` or decimal), as `header`.',
    reload: 'next-exchange',
  }),
}

/** What a file may say about which requests a route takes. */
export interface MatchInput extends Static<TObject<typeof conditions>> {
  any?: MatchInput[]
  all?: MatchInput[]
  not?: MatchInput
}

/** A match within a match; `$defs` of the root schema holds it. */
export const matchRef = Type.Unsafe<MatchInput>({ $ref: '#/$defs/match' }) as unknown as Meaning<
  ReturnType<typeof Type.Unsafe<MatchInput>>,
  Match
>

export const matchSchema = section({
  ...conditions,
  any: optional(Type.Array(matchRef, { minItems: 1 }), { text: 'At least one of these must match.', reload: 'next-exchange' }),
  all: optional(Type.Array(matchRef, { minItems: 1 }), { text: 'All of these must match.', reload: 'next-exchange' }),
  not: optional(matchRef, { text: 'This must not match.', reload: 'next-exchange' }),
})
