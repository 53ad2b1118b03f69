/** The verbs of the control socket: what each takes and answers. One table for the primary, the commands, the docs and the JSON Schema. */
import { type Static, type TSchema, Type } from 'typebox'
import {
  ChangeData,
  CutData,
  FiguresData,
  PlanData,
  ReloadData,
  SaveData,
  SessionsData,
  StatusData,
  StopData,
  UpgradeData,
  WaitData,
  WorkersData,
} from './data.ts'
import { LiveData, windowNames } from './live-data.ts'
import { TailData, WhyData } from './record-data.ts'

const server = Type.String({ description: 'upstream/server' })
const upstream = Type.String({ description: 'Its name' })
const dryRun = Type.Optional(Type.Boolean({ description: 'Say what would happen and do nothing' }))
const force = Type.Optional(Type.Boolean({ description: 'Also where it leaves an upstream without a usable server' }))

interface VerbRow {
  /** For people. */
  text: string
  isChange: boolean
  request: TSchema
  data: TSchema
}

const strict = { additionalProperties: false }

export const verbs = {
  status: {
    text: 'Everything: workers, listeners, servers, overrides',
    isChange: false,
    request: Type.Object({}, strict),
    data: StatusData,
  },
  workers: { text: 'The worker processes', isChange: false, request: Type.Object({}, strict), data: WorkersData },
  figures: {
    text: 'Counters and times to the first byte of the servers of an upstream',
    isChange: false,
    request: Type.Object(
      { restartHold: Type.Optional(Type.Boolean({ description: 'The longest hold begins anew after this answer' })), upstream },
      strict,
    ),
    data: FiguresData,
  },
  live: {
    text: 'What live views show: rates, quantiles and states over a stretch of time',
    isChange: false,
    request: Type.Object({ window: Type.Optional(windowNames) }, strict),
    data: LiveData,
  },
  sessions: {
    text: 'Open tunnels, of one server or of all',
    isChange: false,
    request: Type.Object(
      {
        server: Type.Optional(server),
        most: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'So many are listed; 100 when not given' })),
      },
      strict,
    ),
    data: SessionsData,
  },
  tail: {
    text: 'Requests as they end: batches of records as progress, until so many were sent or the client goes away',
    isChange: false,
    request: Type.Object(
      {
        where: Type.Optional(
          Type.String({ maxLength: 1_000, description: 'An expression, see docs/logs.md; all requests when not given' }),
        ),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: 'So many records; no limit when not given' })),
      },
      strict,
    ),
    data: TailData,
  },
  why: {
    text: 'What is known of one recent request',
    isChange: false,
    request: Type.Object({ id: Type.String({ minLength: 1, maxLength: 1_024, description: 'Its X-Request-Id' }) }, strict),
    data: WhyData,
  },
  drain: {
    text: 'No new exchanges and tunnels for a server; sticky users stay unless strict',
    isChange: true,
    request: Type.Object(
      { server, strict: Type.Optional(Type.Boolean({ description: 'Sticky users are moved, too' })), dryRun, force },
      strict,
    ),
    data: ChangeData,
  },
  maint: {
    text: 'Takes a server out of service, checks included, and closes its idle connections',
    isChange: true,
    request: Type.Object({ server, dryRun, force }, strict),
    data: ChangeData,
  },
  ready: { text: 'Gives a server traffic again', isChange: true, request: Type.Object({ server, dryRun }, strict), data: ChangeData },
  weight: {
    text: 'Changes the weight of a server: a share of the configured one, or a number',
    isChange: true,
    request: Type.Object(
      { server, weight: Type.String({ description: '50%, or 0 to 256; 100% is as configured' }), dryRun, force },
      strict,
    ),
    data: ChangeData,
  },
  add: {
    text: 'Adds a server to an upstream',
    isChange: true,
    request: Type.Object(
      {
        upstream,
        address: Type.String({ description: 'host:port, or unix:/path' }),
        name: Type.Optional(Type.String({ description: 'Its address when not given' })),
        weight: Type.Optional(Type.Integer({ minimum: 0, maximum: 256, description: '1 when not given' })),
        maxConnections: Type.Optional(Type.Integer({ minimum: 1, description: 'Its limit of exchanges and tunnels at once' })),
        backup: Type.Optional(Type.Boolean({ description: 'It serves only when the others cannot' })),
        dryRun,
      },
      strict,
    ),
    data: ChangeData,
  },
  remove: {
    text: 'Removes a server; what runs on it finishes',
    isChange: true,
    request: Type.Object({ server, dryRun, force }, strict),
    data: ChangeData,
  },
  cut: {
    text: 'Closes the tunnels of a server at once',
    isChange: true,
    request: Type.Object({ server, dryRun }, strict),
    data: CutData,
  },
  wait: {
    text: 'Answers when the condition is true, or when the time is over; tells how it goes in between',
    isChange: false,
    request: Type.Object(
      {
        server,
        condition: Type.Enum(['drained', 'up', 'checked'], {
          description: 'drained: nothing in flight; up: usable; checked: so many good checks in a row',
        }),
        checks: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, description: 'For checked; counted from now' })),
        timeoutMs: Type.Integer({ minimum: 0, maximum: 86_400_000, description: 'How long, in milliseconds' }),
      },
      strict,
    ),
    data: WaitData,
  },
  plan: { text: 'What a reload would change, and how', isChange: false, request: Type.Object({}, strict), data: PlanData },
  reload: { text: 'Applies the config file', isChange: true, request: Type.Object({ dryRun }, strict), data: ReloadData },
  save: {
    text: 'Writes the overrides into the config file (YAML), comments kept',
    isChange: true,
    request: Type.Object({ dryRun }, strict),
    data: SaveData,
  },
  upgrade: {
    text: 'Starts the program anew on the same sockets and ends this one when the new one is ready',
    isChange: true,
    request: Type.Object({ dryRun }, strict),
    data: UpgradeData,
  },
  stop: {
    text: 'Finishes what is there and ends',
    isChange: true,
    request: Type.Object(
      {
        graceMs: Type.Optional(
          Type.Integer({ minimum: 0, description: 'How long that may take, in milliseconds; 0 is no limit. As configured when not given' }),
        ),
        dryRun,
      },
      strict,
    ),
    data: StopData,
  },
} satisfies Record<string, VerbRow>

export type VerbName = keyof typeof verbs
export type RequestOf<V extends VerbName> = Static<(typeof verbs)[V]['request']>
export type DataOf<V extends VerbName> = Static<(typeof verbs)[V]['data']>

/** Why something was not done, with the exit code of the command that asked (architecture, section 6). */
export const controlErrors = {
  'bad-request': 2,
  'unknown-verb': 2,
  'unknown-name': 2,
  'invalid-config': 1,
  failed: 1,
  late: 4,
  'not-kept': 4,
  refused: 5,
} as const
export type ControlErrorCode = keyof typeof controlErrors

/** One line of an answer. A request gets any number of `weir.progress/1` and then one of the others. */
export type Answer<D = unknown> =
  | { schema: string; generation: number; time: string; data: D }
  | { schema: 'weir.error/1'; generation: number; time: string; error: { code: ControlErrorCode; message: string; exit: number } }

/** `weir.drain/1`, as the envelope of a verb says. */
export function schemaName(verb: VerbName): string {
  return `weir.${verb}/1`
}

/** Something was not done; the message is a sentence or more for people. */
export class ControlError extends Error {
  readonly code: ControlErrorCode

  constructor(code: ControlErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
