/** Answers of a weir that runs, small enough to read. */
import type { ChangeData, ServerStatus, StatusData, WaitData, WorkerStatus } from '../../../../src/shared/control/data.ts'

export function server(id: string, changes: Partial<ServerStatus> = {}): ServerStatus {
  const [upstream = '', name = ''] = id.split('/')
  return {
    id,
    upstream,
    name,
    address: '10.0.0.1:9001',
    source: 'config',
    state: 'up',
    why: '',
    health: 'up',
    admin: 'ready',
    isChecked: true,
    isEjected: false,
    isProbing: false,
    weight: 1,
    weightShare: 1,
    isBackup: false,
    sinceMs: 60_000,
    lastCheck: { code: 'L7OK', reason: 'status 200', latencyMs: 1.23, agoMs: 1_400 },
    nextCheckMs: 600,
    goodChecks: 30,
    badChecks: 0,
    inFlight: 3,
    maxConnections: null,
    idleConnections: 4,
    exchanges: 1_204,
    successes: 1_204,
    failures: 0,
    firstByteMeanMs: 2.5,
    ...changes,
  }
}

export function worker(number: number, changes: Partial<WorkerStatus> = {}): WorkerStatus {
  return {
    number,
    pid: 4000 + number,
    state: 'ready',
    uptimeMs: 3 * 3_600_000,
    restarts: 0,
    lastEnd: null,
    generation: 42,
    heardMs: 120,
    isStalled: false,
    connections: 12,
    exchanges: 1_000,
    tunnels: 2,
    ...changes,
  }
}

export function status(changes: Partial<StatusData> = {}): StatusData {
  return {
    version: '0.1.0',
    pid: 4000,
    state: 'running',
    startedAt: '2026-01-31T09:00:00.000Z',
    uptimeMs: 3 * 3_600_000,
    configFile: '/etc/weir.yaml',
    lastReload: null,
    workers: [worker(1), worker(2)],
    listeners: [{ name: 'web', protocol: 'http', addresses: ['127.0.0.1:8080', '[::1]:8080'], connections: 24 }],
    upstreams: [
      {
        name: 'api',
        balance: 'power-of-two',
        breaker: 1,
        waiting: 0,
        usable: 1,
        servers: [
          server('api/a'),
          server('api/b', {
            state: 'draining',
            admin: 'drain',
            why: 'drained by command',
            weight: 3,
            weightShare: 0.5,
            maxConnections: 200,
          }),
          server('api/c', { state: 'down', health: 'down', why: 'status 503, expected 200-399', failures: 17, isBackup: true }),
        ],
      },
    ],
    overrides: [],
    ...changes,
  }
}

export function change(what: string, servers: ServerStatus[], changes: Partial<ChangeData> = {}): ChangeData {
  return { changed: true, dryRun: false, what, servers, ...changes }
}

export function waited(changes: Partial<WaitData> = {}): WaitData {
  return {
    server: 'api/a',
    condition: 'drained',
    isMet: true,
    waitedMs: 4_200,
    remaining: { inFlight: 0, tunnels: 0 },
    goodChecks: 0,
    ...changes,
  }
}
