/** The published shape of a live view: what src/shared/statistics/live.ts says, as a schema. */
import { type Static, type TSchema, Type } from 'typebox'
import type { LiveView } from '../statistics/live.ts'

const text = (description: string) => Type.String({ description })
const number = (description: string) => Type.Number({ description })
const nullable = <T extends TSchema>(schema: T, description: string) => Type.Union([schema, Type.Null()], { description })

export const Quantiles = Type.Object({
  count: number('Values'),
  p50: number('Half of them took at most so long, in µs'),
  p90: number('The same of 90 %'),
  p99: number('The same of 99 %'),
  p999: number('The same of 99.9 %'),
  max: number('The longest, in µs'),
})

export const PhaseQuantiles = Type.Object({
  queue: nullable(Quantiles, 'Waited for a server; 0 for what did not wait'),
  connect: nullable(Quantiles, 'Opened a connection to the server'),
  firstByte: nullable(Quantiles, 'From the request handed over to the first byte of the response'),
  total: nullable(Quantiles, 'From the first bytes of the request to the last of the response'),
  overhead: nullable(Quantiles, 'What weir itself added'),
})

export const Rates = Type.Object({
  requestsPerSecond: number('Requests that ended'),
  errorShare: number('Of those, failures of the server and answers of 500 and above: 0 to 1'),
  bytesInPerSecond: number('From clients, or to the server'),
  bytesOutPerSecond: number('To clients, or from the server'),
})

export const LiveServer = Type.Object({
  id: text('upstream/server'),
  name: text('Its name in the upstream'),
  address: text('Where it is'),
  isBackup: Type.Boolean({ description: 'It serves only when the others cannot' }),
  state: text('In one word, as `status` says it'),
  admin: text('What the operator, or its agent or health check, asked for'),
  reason: nullable(Type.String(), 'For the state, in words'),
  weightPercent: number('Share of the configured weight in force'),
  inFlight: number('Exchanges and tunnels on it now'),
  tunnels: number('Tunnels among them'),
  idleConnections: number('Pooled connections to it'),
  rates: Rates,
  latency: PhaseQuantiles,
  checks: text('The last 64 active checks, oldest first: + passed, - failed'),
})

export const LiveUpstream = Type.Object({
  name: text('Its name'),
  balance: text('Its policy'),
  waiting: number('Exchanges and tunnels that wait because every server is full'),
  held: number('Those that are held because no server is usable'),
  rates: Rates,
  latency: PhaseQuantiles,
  servers: Type.Array(LiveServer),
})

export const LiveRoute = Type.Object({
  listener: text('Its listener'),
  name: text('What it matches; none for what reached no route'),
  active: number('Requests that are being served'),
  rates: Rates,
  latency: PhaseQuantiles,
})

export const LiveListener = Type.Object({
  name: text('Its name'),
  addresses: Type.Array(Type.String(), { description: 'Where it listens' }),
  protocol: text('Its protocol'),
  connections: number('Open now'),
})

export const LiveWorker = Type.Object({
  number: number('From 1'),
  pid: number('Process'),
  state: text('Where it is in its life'),
  connections: number('Client connections'),
  tunnels: number('Open now'),
  restarts: number('How often its predecessors were replaced'),
})

export const LiveWork = Type.Object({
  kind: Type.Enum(['drain', 'deploy', 'reload', 'upgrade'], { description: 'What is being done' }),
  subject: text('To which server or upstream'),
  progress: text('How it goes, in words'),
  startedAt: text('ISO 8601'),
})

export const windowNames = Type.Enum(['10s', '1m', '5m', 'total'], { description: 'The stretch of time that is looked back over' })

export const LiveData = Type.Object({
  time: text('When it was so (ISO 8601)'),
  version: text('Of weir'),
  generation: number('Grows with every change'),
  uptimeSeconds: number('Since the start'),
  window: windowNames,
  rates: Rates,
  latency: PhaseQuantiles,
  distribution: Type.Array(Type.Tuple([Type.Number(), Type.Number()]), {
    description: 'Of the total time of everything: upper bound of a bucket in µs, and its count, ascending',
  }),
  terminations: Type.Record(Type.String(), Type.Number(), { description: 'What ended, by how it ended' }),
  listeners: Type.Array(LiveListener),
  routes: Type.Array(LiveRoute),
  upstreams: Type.Array(LiveUpstream),
  workers: Type.Array(LiveWorker),
  work: Type.Array(LiveWork),
})

/** Does not compile where the schema and the type say different things. */
export type LiveData = Static<typeof LiveData> extends LiveView ? (LiveView extends Static<typeof LiveData> ? LiveView : never) : never
