/** What a small weir would say of itself. */
import type { Facts, ServerFacts, UpstreamFacts } from '../../../../src/primary/statistics/facts.ts'

export function serverFacts(id: string, slot: number, differs: Partial<ServerFacts> = {}): ServerFacts {
  return {
    id,
    name: id.slice(id.indexOf('/') + 1),
    slot,
    address: `10.0.0.${slot}:80`,
    isBackup: false,
    state: 'up',
    admin: 'ready',
    reason: null,
    weight: 1,
    weightPercent: 100,
    takesTraffic: true,
    checks: '++-+',
    passedChecks: 3,
    failedChecks: 1,
    checkSeconds: 0.25,
    ejections: 2,
    ...differs,
  }
}

export function upstreamFacts(name: string, servers: ServerFacts[], differs: Partial<UpstreamFacts> = {}): UpstreamFacts {
  return { name, balance: 'round-robin', breakerPass: 1, isPanicking: false, servers, ...differs }
}

export function factsOf(differs: Partial<Facts> = {}): Facts {
  return {
    time: '2026-01-31T12:00:00.000Z',
    version: '0.1.0',
    nodeVersion: 'v20.19.0',
    startedAtMs: 1_769_860_000_000,
    uptimeSeconds: 60,
    generation: 7,
    lastReload: null,
    reloads: { applied: 2, refused: 1 },
    gossip: { count: 4, lastMs: 3, p50Ms: 2, p99Ms: 9, maxMs: 11 },
    lostRecords: null,
    workers: [{ number: 1, pid: 42, state: 'ready', connections: 3, tunnels: 1, restarts: 5, isUp: true }],
    listeners: [{ name: 'web', addresses: ['http://127.0.0.1:80'], protocol: 'http', slot: 0, connections: 3 }],
    certificates: [],
    routes: [
      { row: 0, listener: 'web', name: 'none' },
      { row: 64, listener: 'web', name: '/v1/' },
    ],
    upstreams: [
      upstreamFacts('api', [serverFacts('api/a', 0), serverFacts('api/b', 1, { state: 'draining', admin: 'drain', takesTraffic: false })]),
    ],
    work: [],
    ...differs,
  }
}
