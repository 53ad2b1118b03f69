import type { Fleet, MockServer } from './fleet.ts'
import { KEY_HEADER } from './messages.ts'
import type { Policy } from './policies.ts'

export interface ConfigPlan {
  fleet: Fleet
  /** By server. */
  ports: Readonly<Record<string, number>>
  workers: number
  controlSocket: string
}

/**
 * The config of the balancer before a fleet: an upstream for each policy over the same servers, reached by its path. What differs from
 * the defaults: checks are spread out where no server fails, as each server gets them once for each policy; a server that comes back is
 * not kept out for long and has its whole weight at once, as that happens between rounds.
 */
export function balancerConfig({ fleet, ports, workers, controlSocket }: ConfigPlan): object {
  const isKilled = fleet.event?.kind === 'kill'
  const interval = isKilled ? { interval: '1s', fastInterval: '200ms', downInterval: '200ms' } : { interval: '30s' }
  const passiveHealth = isKilled ? { ejectFor: '3s', maxEjectFor: '3s' } : {}
  const common = { health: { tcp: true, ...interval }, passiveHealth, slowStart: 'off' }
  return {
    workers,
    control: { socket: controlSocket },
    admin: { bind: '127.0.0.1:0' },
    shutdown: { grace: '1s', spread: '0s' },
    listeners: {
      bench: {
        bind: ['127.0.0.1:0'],
        // What the load says about who it is decides with source-hash.
        trustedProxies: ['127.0.0.1/32'],
        routes: fleet.policies.map(({ id }) => ({ match: { path: `/${id}/` }, upstream: id })),
      },
    },
    upstreams: Object.fromEntries(
      fleet.policies.map((policy) => [
        policy.id,
        { ...common, ...balanceOf(policy), servers: fleet.servers.map((server) => serverOf(server, policy, ports)) },
      ]),
    ),
  }
}

function balanceOf({ balance, hash }: Policy): object {
  if (hash === null) return { balance }
  return { balance, hash: { key: `header:${KEY_HEADER}`, table: hash.table, boundedLoad: hash.boundedLoad ?? 'off' } }
}

/** `first` fills one server after the other, so it has to know when one is full: by default when it works on as much as it can. */
function serverOf({ name, weight, maxConnections, atOnce, tier }: MockServer, { balance }: Policy, ports: ConfigPlan['ports']): object {
  const most = maxConnections ?? (balance === 'first' ? atOnce : null)
  return { name, address: `127.0.0.1:${ports[name]}`, weight, tier, ...(most === null ? {} : { maxConnections: most }) }
}
