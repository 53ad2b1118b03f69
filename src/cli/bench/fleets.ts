/**
 * The fleets that come with `weir bench`. Each has a rate of about 60 % of what its servers can do, so that queueing matters, and one that
 * two cores serve beside the servers and the clients.
 */
import { UsageError } from '../usage-error.ts'
import type { Fleet, MockServer } from './fleet.ts'
import { type Policy, usualPolicies } from './policies.ts'
import type { ServiceTime } from './service-time.ts'

const usualTime: ServiceTime = { kind: 'exponential', meanMs: 20 }

const server = (name: string, different: Partial<MockServer> = {}): MockServer => ({
  name,
  weight: 1,
  atOnce: 4,
  service: usualTime,
  cache: null,
  maxConnections: null,
  tier: 0,
  ...different,
})

const four = (different: Partial<MockServer> = {}): MockServer[] => ['a', 'b', 'c', 'd'].map((name) => server(name, different))

type Plan = Pick<Fleet, 'name' | 'question' | 'servers' | 'rate'> & Partial<Pick<Fleet, 'keys' | 'event'>>

const plans: readonly Plan[] = [
  { name: 'equal', question: 'Four equal servers at 60 % of what they can do.', servers: four(), rate: 480 },
  {
    name: 'one-slow',
    question: 'Four servers, of which one takes five times as long, and nobody has told the balancer.',
    servers: [...four().slice(0, 3), server('slow', { service: { kind: 'exponential', meanMs: 100 } })],
    rate: 400,
  },
  {
    name: 'weights',
    question: 'Three servers with weights 1, 2 and 5, which are what they can do.',
    servers: [1, 2, 5].map((weight) => server(`w${weight}`, { weight, atOnce: 2 * weight })),
    rate: 480,
  },
  {
    name: 'heavy-tails',
    question: 'Four equal servers whose requests are mostly quick and sometimes take very long.',
    servers: four({ service: { kind: 'log-normal', meanMs: 20, sigma: 1.5, mostMs: 1_000 } }),
    rate: 440,
  },
  {
    name: 'stalls',
    question: 'Four equal servers, of which one stands still for 2 s again and again.',
    servers: four(),
    rate: 400,
    event: { kind: 'stall', server: 'd', ms: 2_000, everyMs: 5_000 },
  },
  {
    name: 'killed',
    question: 'Four equal servers, of which one is killed in the middle of the round.',
    servers: four(),
    rate: 400,
    event: { kind: 'kill', server: 'd' },
  },
  {
    name: 'cold-caches',
    question: 'Four servers with empty caches, each for a quarter of the keys, of which some are asked for much more often.',
    servers: four({ service: { kind: 'exponential', meanMs: 30 }, cache: { keys: 150, hit: { kind: 'exponential', meanMs: 2 } } }),
    rate: 400,
    keys: { count: 600, exponent: 0.8 },
  },
]

export const fleetNames: readonly string[] = plans.map(({ name }) => name)

export interface FleetChoice {
  /** null: all. */
  names: readonly string[] | null
  /** null: the usual ones of each. */
  policies: readonly Policy[] | null
  isQuick: boolean
  /** null: that of each. */
  rate: number | null
}

/** The fleets that were chosen. @throws UsageError for a name that none has */
export function builtInFleets({ names, policies, isQuick, rate }: FleetChoice): Fleet[] {
  const unknown = names?.find((name) => !fleetNames.includes(name))
  if (unknown !== undefined) throw new UsageError(`no fleet is called "${unknown}": there are ${fleetNames.join(', ')}`)
  return plans
    .filter(({ name }) => names?.includes(name) ?? true)
    .map(({ keys = null, event = null, ...plan }) => ({
      ...plan,
      keys,
      event,
      rate: rate ?? plan.rate,
      policies: policies ?? usualPolicies({ hasCaches: keys !== null, isQuick }),
      configured: null,
      notes: [],
    }))
}
