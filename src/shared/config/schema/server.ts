import { Type } from 'typebox'
import { option, optional, section, text } from './option.ts'

const reload = 'live'

/** An entry of `servers`: one server by its address, or a name whose records are servers. */
export const serverSchema = section({
  name: optional(text('serverName'), { text: 'Its name, unique in the upstream; the address where none is given.', reload }),
  address: optional(text('serverAddress'), {
    text: '`host:port`, `[IPv6]:port` or `unix:/path`. Exactly one of `address`, `dns` and `srv` is given.',
    reload: 'drains',
  }),
  dns: optional(text('dnsAddress'), {
    text: '`name:port`: each address of the DNS name (A and AAAA) is a server with the options of this entry.',
    reload,
  }),
  srv: optional(text('srvName'), {
    text: 'Name of SRV records: each is a server with its own port and weight; those of lower priority are in later tiers than `tier`.',
    reload,
  }),
  weight: option(Type.Union([Type.Integer({ minimum: 0, maximum: 256 }), text('weightShare')]), {
    text: 'Its share against the others; 0 takes no traffic. Where one server has a percentage, such as `50%`, all of the upstream have.',
    reload,
    default: 1,
  }),
  maxConnections: optional(Type.Integer({ minimum: 1, maximum: 10_000_000 }), {
    text: 'Requests and TCP connections at once over all workers; no limit where it is not given. When every server is full they wait in the `queue`.',
    reload,
  }),
  backup: option(Type.Boolean(), { text: 'Short for `tier: 1`; not together with `tier`.', reload, default: false }),
  tier: optional(Type.Integer({ minimum: 0, maximum: 9 }), {
    text: 'Servers of tier 1 take traffic only when no server of tier 0 can, and so on; 0 where it is not given.',
    reload,
  }),
  zone: optional(text('name'), { text: 'Where it is; servers of the zone of this balancer are preferred.', reload }),
})
