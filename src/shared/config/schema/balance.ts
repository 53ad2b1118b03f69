import { Type } from 'typebox'
import type { HashKeyFunction } from '../../../index-types.ts'
import { functionOf, offOr, option, optional, required, section, text } from './option.ts'

const reload = 'next-exchange'

/** How a server may be picked, the default first. */
export const balanceNames = [
  'power-of-two',
  'least-connections',
  'least-time',
  'round-robin',
  'random',
  'first',
  'source-hash',
  'consistent-hash',
] as const

export const hashSchema = section({
  key: required(Type.Union([text('hashKey'), functionOf<HashKeyFunction>()]), {
    text: 'What is hashed: `header:NAME`, `cookie:NAME`, `query:NAME`, `path` or `client-ip`; in TypeScript also a function of the request. TCP connections have `client-ip` only.',
    reload,
  }),
  table: option(Type.Enum(['ring', 'maglev', 'rendezvous']), {
    text: 'How keys are placed on servers: `ring` as ketama does, `maglev` spreads most evenly, `rendezvous` needs no table and suits few servers.',
    reload,
    default: 'ring',
  }),
  boundedLoad: option(offOr(Type.Number({ minimum: 1, maximum: 10 })), {
    text: 'No server gets more than this times the average load; what is more goes to the next server of the key.',
    reload,
    default: 'off',
  }),
})

export const stickySchema = section({
  cookie: option(text('cookieName'), { text: 'Name of the cookie.', reload, default: 'weir' }),
  ttl: option(text('duration', { least: 1000 }), { text: 'How long a browser keeps it.', reload, default: '1h' }),
  secret: optional(text('secret'), {
    text: 'Signs the cookie, at least 16 characters; balancers with the same secret take the cookies of one another.',
    reload,
  }),
})

export const slowStartSchema = offOr(text('duration', { least: 1 }))
