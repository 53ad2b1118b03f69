/** An operation without workers: the real table of servers and the real checker, a board that is set by hand. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { abi } from '../../../src/native/abi.ts'
import type { TunnelFacts } from '../../../src/native/contract.ts'
import type { Board } from '../../../src/primary/board.ts'
import { type ControlSocket, type ControlSocketOptions, openControlSocket } from '../../../src/primary/control/control-socket.ts'
import type { Operation } from '../../../src/primary/control/operation.ts'
import type { Fleet } from '../../../src/primary/fleet.ts'
import type { HealthRow } from '../../../src/primary/health/check-target.ts'
import { ServerTable } from '../../../src/primary/server-table.ts'
import { machineMs } from '../../../src/shared/base/clock.ts'
import { configFromText } from '../../../src/shared/config/load.ts'
import type { Config, ServerConfig, UpstreamConfig } from '../../../src/shared/config/model.ts'
import { liveView } from '../../scenario/lib/live-views.ts'

const usual = `
listeners:
  web: { bind: "127.0.0.1:0", protocol: http, routes: [{ match: {}, upstream: api }] }
upstreams:
  api:
    health: { tcp: true }
    servers:
      - { name: a, address: "127.0.0.1:9001", weight: 4 }
      - { name: b, address: "127.0.0.1:9002" }
      - { name: c, address: "127.0.0.1:9003", backup: true, maxConnections: 7 }
  db: { health: off, servers: ["127.0.0.1:5432"] }
`

/** What the test sets, and sees. */
export interface Fake {
  operation: Operation
  table: ServerTable
  lines: string[]
  /** Of servers, by their ids. */
  inFlight: Map<string, number>
  /** What the checker says, by id. */
  rows: Map<string, HealthRow>
  /** `id counter` to its value. */
  counters: Map<string, number>
  tunnels: { worker: number; tunnel: TunnelFacts }[]
  /** What was asked of the operation: `cut 3`, `stop 100`. */
  asked: string[]
  /** Begins a change only when this settles. */
  gate: Promise<void>
}

export function configOf(text: string): Config {
  const loaded = configFromText(text, 'test.yaml', {})
  assert.ok(loaded.ok, JSON.stringify(loaded))
  return loaded.config
}

/** Servers a and b of api, and the one of db, are up; c has no verdict. */
export function fake(text = usual): Fake {
  const lines: string[] = []
  const table = new ServerTable({ epoch: 5, rows: 100, log: () => {}, onChange: () => {} })
  let config = configOf(text)
  let generation = 7
  const define = (upstreams: UpstreamConfig[]) => {
    config = { ...config, upstreams }
    table.define(
      upstreams.flatMap(({ name, servers, health }) =>
        servers.map((server) => ({ upstream: name, config: server, initial: 'unknown' as const, isChecked: health !== null })),
      ),
      machineMs(),
    )
  }
  define(config.upstreams)
  for (const id of ['api/a', 'api/b']) table.setHealth(id, 'up', machineMs())
  const idOf = (slot: number) => table.servers().find((record) => record.slot === slot)?.server ?? ''
  const made: Fake = {
    table,
    lines,
    inFlight: new Map(),
    rows: new Map(),
    counters: new Map(),
    tunnels: [],
    asked: [],
    gate: Promise.resolve(),
    operation: undefined as unknown as Operation,
  }
  const board = {
    longestHold: () => 0,
    histogram: () => Uint32Array.from({ length: 2688 }, (_, i) => (i === 300 ? 2 : 0)),
    inFlight: (slot: number) => made.inFlight.get(idOf(slot)) ?? 0,
    waiting: () => 0,
    server: (slot: number, counter: number) => made.counters.get(`${idOf(slot)} ${counter}`) ?? 0,
    listener: (_slot: number, counter: number) => (counter === abi.listenerCounter.connections ? 3 : 0),
    allWorkers: () => 12,
  }
  const replace = (upstream: string, change: (servers: ServerConfig[]) => ServerConfig[]) =>
    define(config.upstreams.map((one) => (one.name === upstream ? { ...one, servers: change(one.servers) } : one)))
  const changed = async (act: () => unknown) => {
    await made.gate
    generation++
    act()
  }
  made.operation = {
    startedAt: new Date(Date.now() - 65_000),
    configFile: '/etc/weir.yaml',
    fleet: { table, checker: { reportOf: (id: string) => made.rows.get(id), report: () => [...made.rows.values()] } } as unknown as Fleet,
    board: board as unknown as Board,
    statistics: {
      live: async (window) => Buffer.from(JSON.stringify(liveView(0, window))),
      latencies: async () => ({ all: null, servers: new Map([['api/a', { p50: 900, p99: 12_000, overheadP99: 84 }]]) }),
    },
    records: {
      tail: (_where, { records }) => {
        setImmediate(() => records([{ requestId: 'r-1' }], 0))
        return { more: () => undefined, close: () => undefined }
      },
      find: async (requestId) => ({ record: { requestId, time: '2026-01-31T12:00:00.000Z', upstream: 'api' }, count: 1, reachMs: 5_000 }),
      states: () => [{ server: 'api/a', atFirst: { atMs: 0, state: 'up', why: '' }, later: [] }],
    },
    config: () => config,
    generation: () => generation,
    state: () => 'running',
    lastReload: () => null,
    workers: () => [
      {
        number: 1,
        pid: 42,
        state: 'ready',
        uptimeMs: 5,
        restarts: 0,
        lastEnd: null,
        generation,
        heardMs: 1,
        isStalled: false,
        connections: 1,
        exchanges: 2,
        tunnels: made.tunnels.length,
      },
    ],
    listeners: () => [{ name: 'web', protocol: 'http', addresses: ['http://127.0.0.1:1'], slot: 0 }],
    overrides: () => [],
    sourceOf: () => 'config',
    setAdmin: (server, admin, isStrict) => {
      table.setAdmin(server, admin, machineMs(), 'by command', isStrict)
      return changed(() => undefined)
    },
    setWeightShare: (server, share) => changed(() => table.setWeightShare(server, share, machineMs(), 'by command')),
    addServer: (upstream, server) => changed(() => replace(upstream, (servers) => [...servers, server])),
    removeServer: (server) =>
      changed(() => replace(server.split('/')[0] as string, (servers) => servers.filter(({ name }) => !server.endsWith(`/${name}`)))),
    tunnels: async (slot, most) => made.tunnels.filter(({ tunnel }) => slot === -1 || tunnel.server === slot).slice(0, most),
    cut: async (slot) => {
      made.asked.push(`cut ${idOf(slot)}`)
      return made.inFlight.get(idOf(slot)) ?? 0
    },
    plan: async () => ({ file: '/etc/weir.yaml', steps: [], conflicts: [], warnings: [] }),
    reload: async (dryRun) => {
      made.asked.push('reload')
      return { file: '/etc/weir.yaml', changed: !dryRun, dryRun, steps: [], conflicts: [], tookMs: 3 }
    },
    save: async (dryRun) => ({ file: '/etc/weir.yaml', dryRun, edits: [], text: '' }),
    upgrade: async () => ({ pid: 43, tookMs: 900 }),
    stop: (graceMs) => {
      made.asked.push(`stop ${graceMs}`)
      return graceMs ?? 25_000
    },
    log: (line) => void lines.push(line),
  }
  return made
}

/** What a check said. */
export function row(id: string, change: Partial<HealthRow> = {}): HealthRow {
  const nothing = { isChanging: false, isDraining: false, status: null, nextAt: null, agent: null }
  return { id, state: 'up', ok: true, code: 'L4OK', reason: 'connected', latencyMs: 1, streak: 1, checkedAt: 0, ...nothing, ...change }
}

/** A path of its own for a socket, removed with the test. */
export function socketPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-control-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'weir.sock')
}

export async function opened(t: TestContext, operation: Operation, options: ControlSocketOptions = {}): Promise<ControlSocket> {
  const socket = await openControlSocket(socketPath(t), operation, { ...options, limits: { closeMs: 50, ...options.limits } })
  t.after(() => socket.close())
  return socket
}

/** A client that keeps what it reads. */
export class Asker {
  readonly socket: Socket
  readonly ended: Promise<void>
  readonly connected: Promise<void>
  text = ''
  isEnded = false

  constructor(path: string) {
    this.socket = connect({ path, allowHalfOpen: true })
    this.socket.setEncoding('utf8')
    this.socket.on('data', (text: string) => {
      this.text += text
    })
    this.socket.on('error', () => undefined)
    this.connected = new Promise((resolve) => this.socket.once('connect', () => resolve()))
    this.ended = new Promise((resolve) => {
      const end = () => {
        this.isEnded = true
        resolve()
      }
      this.socket.once('end', end)
      this.socket.once('close', end)
    })
  }

  send(...requests: (object | string)[]): void {
    for (const request of requests) this.socket.write(typeof request === 'string' ? request : `${JSON.stringify(request)}\n`)
  }

  /** Whole lines so far. */
  get lines(): Reply[] {
    return this.text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Reply)
  }
}

export interface Reply {
  schema: string
  generation: number
  time: string
  data: Record<string, unknown>
  error: { code: string; message: string; exit: number }
}

export function asker(t: TestContext, path: string): Asker {
  const made = new Asker(path)
  t.after(() => void made.socket.destroy())
  return made
}

/** The final line of the answer to one request, on a connection of its own. */
export async function ask(t: TestContext, path: string, request: object): Promise<Reply> {
  const client = asker(t, path)
  client.send(request)
  await until(() => client.lines.some(({ schema }) => schema !== 'weir.progress/1'), `an answer to ${JSON.stringify(request)}`)
  client.socket.destroy()
  return client.lines.at(-1) as Reply
}

/** What a line in HAProxy's words is answered. */
export async function askHaproxy(t: TestContext, path: string, line: string): Promise<string> {
  const client = asker(t, path)
  client.send(`${line}\n`)
  await client.ended
  client.socket.destroy()
  return client.text
}

export async function until(fact: () => boolean, what: string, within = 5_000): Promise<void> {
  const end = Date.now() + within
  while (!fact()) {
    if (Date.now() > end) throw new Error(`not true within ${within} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
