import { Type } from 'typebox'
import { errorPages } from './error-pages.ts'
import { oneOrMany, option, optional, required, section, text } from './option.ts'
import { routeSchema } from './route.ts'
import { securityHeaders } from './security-headers.ts'
import { listenerTls } from './tls.ts'

const forwardedHeaders = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'forwarded',
  'x-real-ip',
  'x-request-id',
] as const

const limits = section({
  connections: option(Type.Integer({ minimum: 1, maximum: 10_000_000 }), {
    text: 'Client connections at once, over all workers.',
    reload: 'live',
    default: 20_000,
  }),
  connectionsPerIp: option(Type.Union([Type.Literal('none'), Type.Integer({ minimum: 1, maximum: 1_000_000 })]), {
    text: 'Connections at once of one client address, over all workers; IPv6 clients count per /64 network; more are closed at once.',
    reload: 'live',
    default: 'none',
  }),
  headerBytes: option(text('size', { least: 1024, most: 65_535 }), {
    text: 'Bytes of a request head; more is answered with 431.',
    reload: 'new-connections',
    default: '16KiB',
  }),
  headers: option(Type.Integer({ minimum: 1, maximum: 256 }), {
    text: 'Header lines of a request; more is answered with 431.',
    reload: 'new-connections',
    default: 100,
  }),
  bodyBytes: option(Type.Union([Type.Literal('none'), text('size')]), {
    text: 'Bytes of a request body; more is answered with 413.',
    reload: 'next-exchange',
    default: 'none',
  }),
})

const timeouts = section({
  handshake: option(text('duration', { least: 1 }), {
    text: 'How long a TLS handshake may take, its ClientHello included; only with `tls`.',
    reload: 'new-connections',
    default: '10s',
  }),
  header: option(text('duration', { least: 1 }), {
    text: 'From the first byte of a request to the end of its head; then 408. Also how long a PROXY header or a ClientHello may take.',
    reload: 'new-connections',
    default: '10s',
  }),
  body: option(text('duration', { least: 1 }), {
    text: 'Between two reads of a request body; there is no limit on the whole.',
    reload: 'new-connections',
    default: '30s',
  }),
  keepAlive: option(text('duration', { least: 1 }), {
    text: 'How long an idle client connection stays open.',
    reload: 'new-connections',
    default: '75s',
  }),
  write: option(text('duration', { least: 1 }), {
    text: 'How long a client may take nothing of a response before its connection is closed.',
    reload: 'new-connections',
    default: '60s',
  }),
})

export const listenerSchema = section({
  bind: required(oneOrMany(text('bindAddress')), {
    text: 'Where to listen: `host:port`, `[IPv6]:port`, `:port` for every address, `unix:/path`. Port 0 lets the system choose; `first-last` is a range of ports.',
    reload: 'live',
  }),
  protocol: option(Type.Enum(['http', 'https', 'tcp', 'tls']), {
    text: 'What is spoken on it: `http`; `https`, which needs `tls`; `tcp` for anything else, over TLS where `tls` is given; `tls` for TLS that is passed on unread, routed by its server name.',
    reload: 'drains',
    default: 'http',
  }),
  tls: optional(listenerTls, {
    text: 'How TLS is ended here: with protocol https, and with tcp where it is given. At least one of `certificates`, `acme` and `internal`.',
    reload: 'new-connections',
  }),
  redirectToHttps: optional(Type.Union([Type.Literal(true), Type.Integer({ minimum: 1, maximum: 65_535 })]), {
    text: 'Answers every request with a redirect (308) to the same URL with https, on this port, or on 443 with `true`; in place of `routes`. Challenges of ACME are answered first.',
    reload: 'next-exchange',
  }),
  proxyProtocol: option(Type.Enum(['off', 'on']), {
    text: 'Whether connections begin with a PROXY header, version 1 or 2; then only `trustedProxies` may connect.',
    reload: 'new-connections',
    default: 'off',
  }),
  trustedProxies: option(Type.Array(text('addressRange')), {
    text: 'Peers whose PROXY, X-Forwarded-*, Forwarded, X-Real-IP and X-Request-Id headers are believed.',
    reload: 'new-connections',
    default: [],
  }),
  forwardedHeaders: option(Type.Array(Type.Enum(forwardedHeaders)), {
    text: 'Which headers about the client are sent to servers.',
    reload: 'next-exchange',
    default: [...forwardedHeaders],
  }),
  serverTiming: option(Type.Enum(['off', 'on']), {
    text: 'Whether responses say how long they waited for what, and what weir itself added (`Server-Timing`, shown by browsers).',
    reload: 'next-exchange',
    default: 'off',
  }),
  proxyStatus: option(Type.Enum(['off', 'on']), {
    text: 'Whether responses say which server they came from, or why there was none (`Proxy-Status`, RFC 9209).',
    reload: 'next-exchange',
    default: 'off',
  }),
  limits: option(limits, { text: 'What a client may use.', reload: 'new-connections', default: {} }),
  timeouts: option(timeouts, { text: 'How long a client may take.', reload: 'new-connections', default: {} }),
  securityHeaders,
  errorPages,
  routes: optional(Type.Array(routeSchema, { minItems: 1 }), {
    text: 'Which requests or connections go where; the most specific match wins, then the order of the file.',
    reload: 'next-exchange',
  }),
  upstream: optional(text('name'), {
    text: 'Short for one route that sends everything to this upstream; not together with `routes`.',
    reload: 'next-exchange',
  }),
})
