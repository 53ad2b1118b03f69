/** What the control socket answers: the published shapes of `data` in each envelope. Times in milliseconds unless a name says otherwise. */
import { type Static, type TSchema, Type } from 'typebox'

const text = (description: string) => Type.String({ description })
const number = (description: string) => Type.Number({ description })
const flag = (description: string) => Type.Boolean({ description })
const nullable = <T extends TSchema>(schema: T, description: string) => Type.Union([schema, Type.Null()], { description })
const word = <const W extends string[]>(words: [...W], description: string) => Type.Enum(words, { description })

export const LastCheck = Type.Object({
  code: text('Layer and outcome: L4OK, L4CON, L4TOUT, L7OK, L7STS, …'),
  reason: text('In words'),
  latencyMs: number('How long it took'),
  agoMs: number('When it ended, before now'),
})

/** In microseconds. */
export const LatencyFigures = Type.Object({
  p50: number('Half of its responses took at most so long, in µs'),
  p99: number('The same of 99 %'),
  overheadP99: number('99 % of them took at most so long in weir itself, in µs'),
})

export const ServerStatus = Type.Object({
  id: text('upstream/server'),
  upstream: text('Its upstream'),
  name: text('Its name in the upstream'),
  address: text('Where it is'),
  source: word(['config', 'discovered', 'added'], 'Who named it: the config, a name service, or a command'),
  state: word(['up', 'down', 'unknown', 'warming', 'probing', 'ejected', 'draining', 'drained', 'maint'], 'In one word'),
  why: text('The reason for the state, in words; empty when it is up'),
  health: word(['unknown', 'up', 'down'], 'What its active checks say; up without checks'),
  admin: word(['ready', 'drain', 'maint'], 'What the operator, or its agent or health check, asked for'),
  isChecked: flag('It has active checks'),
  isEjected: flag('Passive health has taken it out for a while'),
  isProbing: flag('It gets one request at a time until it has answered one'),
  weight: number('As configured'),
  weightShare: number('Share of the configured weight in force: 1 as configured'),
  isBackup: flag('It serves only when the others cannot'),
  sinceMs: number('How long it has been in its health state'),
  lastCheck: nullable(LastCheck, 'The last active check'),
  nextCheckMs: nullable(Type.Number(), 'Until the next active check'),
  goodChecks: number('Good active checks in a row'),
  badChecks: number('Bad active checks in a row'),
  inFlight: number('Exchanges and tunnels on it now'),
  maxConnections: nullable(Type.Number(), 'Its limit for these'),
  idleConnections: number('Pooled connections to it'),
  exchanges: number('Exchanges and tunnels that it got so far'),
  successes: number('Those that came to something'),
  failures: number('Those that failed, failing statuses included'),
  firstByteMeanMs: nullable(Type.Number(), 'Mean time to the first byte of all its responses'),
  lastMinute: Type.Optional(nullable(LatencyFigures, 'Of its responses in the last minute; null without any. Of `status` only')),
})

export const UpstreamStatus = Type.Object({
  name: text('Its name'),
  balance: text('Its policy'),
  breaker: number('Share of requests that its circuit breaker lets through: 1 closed, 0 open'),
  waiting: number('Exchanges and tunnels that wait for room or for a server'),
  usable: number('Servers that get new requests'),
  servers: Type.Array(ServerStatus),
})

export const ListenerStatus = Type.Object({
  name: text('Its name'),
  protocol: text('Its protocol'),
  addresses: Type.Array(Type.String(), { description: 'Where it listens' }),
  connections: number('Open now'),
})

export const WorkerStatus = Type.Object({
  number: number('From 1'),
  pid: number('Process'),
  state: word(['starting', 'ready', 'draining', 'gone'], 'Where it is in its life'),
  uptimeMs: number('Since it was forked'),
  restarts: number('How often its predecessors were replaced'),
  lastEnd: nullable(Type.String(), 'How the one before it ended'),
  generation: number('Of the config that it serves'),
  heardMs: number('Since its last heartbeat'),
  isStalled: flag('Its event loop does not turn'),
  connections: number('Client connections'),
  exchanges: number('Served so far'),
  tunnels: number('Open now'),
})

export const Override = Type.Object({
  server: text('upstream/server'),
  what: word(['admin', 'weight', 'added', 'removed'], 'What differs from the config'),
  value: text('What is in force: drain, maint, 50%, an address'),
  since: text('When it was said (ISO 8601)'),
  conflict: nullable(Type.String(), 'What the config says of the same now, where it was changed since'),
})

export const ReloadOutcome = Type.Object({
  at: text('When (ISO 8601)'),
  ok: flag('It is in force'),
  message: text('What was applied, or why not'),
})

export const StatusData = Type.Object({
  version: text('Of weir'),
  pid: number('The primary process'),
  state: word(['running', 'reloading', 'upgrading', 'stopping'], 'What it is doing'),
  startedAt: text('ISO 8601'),
  uptimeMs: number('Since then'),
  configFile: nullable(Type.String(), 'null for weir proxy and weir demo'),
  lastReload: nullable(ReloadOutcome, 'null before the first'),
  workers: Type.Array(WorkerStatus),
  listeners: Type.Array(ListenerStatus),
  upstreams: Type.Array(UpstreamStatus),
  overrides: Type.Array(Override),
  lastMinute: Type.Optional(nullable(LatencyFigures, 'Of all responses in the last minute; null without any')),
})

export const WorkersData = Type.Object({ workers: Type.Array(WorkerStatus) })

/** Of every command that changes servers. */
export const ChangeData = Type.Object({
  changed: flag('false when it was so already, or for a dry run'),
  dryRun: flag('Nothing was done'),
  what: text('What was done, or would be, in words'),
  servers: Type.Array(ServerStatus, { description: 'Those that it concerns, afterwards' }),
})

export const Remaining = Type.Object({
  inFlight: number('Exchanges and tunnels on it'),
  tunnels: number('Tunnels among them'),
})

export const WaitData = Type.Object({
  server: text('upstream/server'),
  condition: word(['drained', 'up', 'checked'], 'What was waited for'),
  isMet: flag('It came true'),
  waitedMs: number('How long it took'),
  remaining: Remaining,
  goodChecks: number('Good active checks in a row'),
})

export const CutData = Type.Object({
  server: text('upstream/server'),
  dryRun: flag('Nothing was done'),
  cut: number('Connections that were closed'),
})

export const Session = Type.Object({
  worker: number('From 1'),
  client: text('Address of the client'),
  listener: text('Its listener'),
  server: text('upstream/server'),
  ageMs: number('Since it began'),
  idleMs: number('Since a byte moved'),
  bytesSent: number('To the server'),
  bytesReceived: number('From the server'),
})
export const SessionsData = Type.Object({ sessions: Type.Array(Session), total: number('Open tunnels, also those that are not listed') })

/** `live`: at once, nothing is interrupted. `drains`: what runs finishes, then it is gone. `restart`: only a new start applies it. */
export const PlanStep = Type.Object({
  how: word(
    ['live', 'drains', 'restart'],
    'live: nothing is interrupted; drains: what runs there finishes first; restart: needs weir upgrade or a new start',
  ),
  what: word(['add', 'remove', 'change'], 'What happens to it'),
  at: text('The place in the config: listeners.web, upstreams.api.servers.b'),
  text: text('In words, with the values before and after'),
  connections: number('Connections, exchanges or tunnels that it concerns now'),
})

export const PlanData = Type.Object({
  file: text('The config file'),
  steps: Type.Array(PlanStep),
  conflicts: Type.Array(Override, { description: 'Overrides that differ from what the new config says' }),
  warnings: Type.Array(Type.String()),
})

export const ReloadData = Type.Object({
  file: text('The config file'),
  changed: flag('false when the config is the same as before, or for a dry run'),
  dryRun: flag('Nothing was done'),
  steps: Type.Array(PlanStep),
  conflicts: Type.Array(Override),
  tookMs: number('Until every worker served it'),
})

export const UpgradeData = Type.Object({ pid: number('The new primary process'), tookMs: number('Until it was ready') })
export const StopData = Type.Object({ graceMs: number('How long what is there may take; 0 is no limit') })
export const SaveData = Type.Object({
  file: text('The config file'),
  dryRun: flag('Nothing was written'),
  edits: Type.Array(Type.String(), { description: 'What was written, in words' }),
  text: text('The whole file as it is now, or would be'),
})

/** For rolling deploys and live views: what a server came to lately. */
export const ServerFigures = Type.Object({
  id: text('upstream/server'),
  exchanges: number('So far'),
  successes: number('So far'),
  failures: number('So far'),
  firstByteCounts: Type.Record(Type.String(), Type.Number(), {
    description: 'Responses by time to the first byte: upper bound of the bucket in µs → count, so far',
  }),
})
export const FiguresData = Type.Object({
  servers: Type.Array(ServerFigures),
  longestHoldMs: number('The longest that a request or connection was held because no server was usable'),
})

export type LatencyFigures = Static<typeof LatencyFigures>
export type LastCheck = Static<typeof LastCheck>
export type ServerStatus = Static<typeof ServerStatus>
export type UpstreamStatus = Static<typeof UpstreamStatus>
export type ListenerStatus = Static<typeof ListenerStatus>
export type WorkerStatus = Static<typeof WorkerStatus>
export type Override = Static<typeof Override>
export type ReloadOutcome = Static<typeof ReloadOutcome>
export type StatusData = Static<typeof StatusData>
export type WorkersData = Static<typeof WorkersData>
export type ChangeData = Static<typeof ChangeData>
export type Remaining = Static<typeof Remaining>
export type WaitData = Static<typeof WaitData>
export type CutData = Static<typeof CutData>
export type Session = Static<typeof Session>
export type SessionsData = Static<typeof SessionsData>
export type PlanStep = Static<typeof PlanStep>
export type PlanData = Static<typeof PlanData>
export type ReloadData = Static<typeof ReloadData>
export type UpgradeData = Static<typeof UpgradeData>
export type StopData = Static<typeof StopData>
export type SaveData = Static<typeof SaveData>
export type ServerFigures = Static<typeof ServerFigures>
export type FiguresData = Static<typeof FiguresData>
