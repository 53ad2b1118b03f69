import { Type } from 'typebox'
import { offOr, option, section, text } from './option.ts'

const reload = 'next-exchange'

const hsts = section({
  maxAge: option(Type.Integer({ minimum: 0, maximum: 315_360_000 }), {
    text: 'For how many seconds browsers use nothing but HTTPS for this host; 0 takes it back.',
    reload,
    default: 31_536_000,
  }),
  includeSubdomains: option(Type.Boolean(), { text: 'Also for every name below this host.', reload, default: false }),
  preload: option(Type.Boolean(), {
    text: 'The owner asks for the host to be built into browsers; needs `includeSubdomains` and a year at least.',
    reload,
    default: false,
  }),
})

const chosen = section({
  hsts: option(offOr(hsts), {
    text: 'Strict-Transport-Security (RFC 6797); sent by listeners that speak TLS only.',
    reload,
    default: {},
  }),
  contentTypeOptions: option(Type.Enum(['nosniff', 'off']), {
    text: 'X-Content-Type-Options: browsers believe the Content-Type.',
    reload,
    default: 'nosniff',
  }),
  frameOptions: option(Type.Enum(['sameorigin', 'deny', 'off']), {
    text: 'X-Frame-Options: who may show the page in a frame.',
    reload,
    default: 'sameorigin',
  }),
  referrerPolicy: option(text('headerValue'), {
    text: 'Referrer-Policy: how much other sites learn of where a visitor comes from; `off` sends none.',
    reload,
    default: 'strict-origin-when-cross-origin',
  }),
})

/** Headers that make browsers careful. A response that has one of them keeps its own. */
export const securityHeaders = option(Type.Union([Type.Literal('off'), Type.Literal('on'), chosen]), {
  text: 'Headers that make browsers careful, for responses that do not have them: `on`, or which of them. HSTS is for one year.',
  reload,
  default: 'off',
})
