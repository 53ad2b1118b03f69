/** What `weir deploy --json` prints: any number of `weir.progress/1` lines, and then one `weir.deploy/1`. */
import { type Static, Type } from 'typebox'
import { endings } from './server-life.ts'

const text = (description: string) => Type.String({ description })
const number = (description: string) => Type.Number({ description })
const nullableNumber = (description: string) => Type.Union([Type.Number(), Type.Null()], { description })

/** The data of a `weir.progress/1` line. */
export const DeployProgress = Type.Object({
  event: Type.Enum(['plan', 'step', 'wait', 'command', 'output', 'note'], {
    description:
      'plan: what is about to happen; step: a server has come to its next step; wait: what is waited for; command: what the shell gets; output: a line that it wrote; note: anything else',
  }),
  server: Type.Union([Type.String(), Type.Null()], { description: 'upstream/server; null for what concerns all' }),
  step: Type.Union([Type.String(), Type.Null()], { description: 'Where the server is now; null for what is not a step' }),
  text: text('In words, or the line of output'),
})

export const DeployStep = Type.Object({ step: text('Where the server was'), tookMs: number('How long') })

export const DeployedServer = Type.Object({
  server: text('upstream/server'),
  address: text('Where it is'),
  outcome: Type.Enum([...endings], {
    description:
      'done: new and watched; unwatched: new, not watched to the end; kept: new and in traffic, well or not, as it could not be taken out; restored: nothing was done to it; rolled-back; left: out of traffic; untouched: its turn did not come; skipped',
  }),
  version: Type.Enum(['old', 'new', 'unknown', 'rolled-back'], { description: 'What runs on it, as far as the deploy can tell' }),
  state: Type.Union([Type.String(), Type.Null()], { description: 'As weir status says at the end; null when it could not be asked' }),
  note: text('Why it came to this, and what to do; empty when all is well'),
  command: text('As the shell got it, or would'),
  steps: Type.Array(DeployStep),
})

export const DeployData = Type.Object({
  upstream: text('Its name'),
  outcome: Type.Enum(['done', 'failed', 'interrupted', 'planned'], { description: 'planned: a dry run, nothing was done' }),
  exit: Type.Integer({ description: 'Exit code of the command' }),
  reason: text('Why it stopped; empty when it is done'),
  dryRun: Type.Boolean({ description: 'Nothing was done' }),
  tookMs: number('From the first look at the upstream to the last'),
  requests: nullableNumber('Exchanges and tunnels that ended at its servers meanwhile; null when it could not be asked'),
  failures: nullableNumber(
    'Those among them that failed at a server, failing statuses included. Clients see fewer: most are tried again elsewhere',
  ),
  longestHoldMs: nullableNumber('The longest that a request waited meanwhile because no server was usable; 0: none did'),
  servers: Type.Array(DeployedServer),
})

export type DeployProgress = Static<typeof DeployProgress>
export type DeployedServer = Static<typeof DeployedServer>
export type DeployData = Static<typeof DeployData>
