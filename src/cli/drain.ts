import type { Argv } from 'yargs'
import { changeParts, changeText, type ForceArguments, forceOptions } from './change.ts'
import type { Answered } from './control-client.ts'
import { type ControlArguments, type ControlSession, controlCommand } from './control-command.ts'
import { CommandError, Interrupted } from './control-errors.ts'
import { serverPositional } from './server-argument.ts'
import { durationOption } from './usage-error.ts'
import { waitFor } from './waiting.ts'
import { counted, span } from './words.ts'

interface DrainArguments extends ForceArguments {
  server: string
  wait: number | undefined
  strict: boolean
  cut: boolean
}

/** Until what was cut has gone from the counts of all workers. */
const CUT_MS = 5_000

/** `weir drain U/S`: nothing new for a server. Exit codes: 0, with `--wait` only when it is empty; 4 not in time; 5 refused. */
export const drainCommand = controlCommand<DrainArguments>({
  command: 'drain <server>',
  describe: 'Send nothing new to a server; what runs there finishes',
  arguments: drainArguments,
  async run({ server, wait, strict, cut, ...args }, session) {
    const answered = await begin(session, server, { ...(strict ? { strict } : {}), ...changeParts(args) })
    const timeoutMs = wait ?? (cut ? 0 : undefined)
    if (timeoutMs === undefined || answered.data.dryRun) {
      session.show(answered, changeText)
      return 0
    }
    await finish(session, answered, { server, timeoutMs, cut })
    return 0
  },
})

function drainArguments(yargs: Argv<ControlArguments>): Argv<DrainArguments> {
  return forceOptions(serverPositional(yargs))
    .option('wait', {
      type: 'string',
      coerce: durationOption('wait', '30s'),
      describe: 'Wait until nothing is in flight there, so long at most (30s when no time is given)',
    })
    .option('strict', { type: 'boolean', default: false, describe: 'Move sticky users, too' })
    .option('cut', {
      type: 'boolean',
      default: false,
      describe: 'Close what is left when the time of --wait is over, or at once without it',
    })
    .example('weir drain api/a --wait 30s', 'Return when server a is idle, or say after 30 s what remains (exit code 4)')
    .example('weir drain api/a --wait 30s --cut', 'Close then what remains')
    .example('weir ready api/a', 'Undo it') as unknown as Argv<DrainArguments>
}

async function begin(session: ControlSession, server: string, options: { strict?: true; dryRun?: true; force?: true }) {
  try {
    return await session.ask('drain', { server, ...options })
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    throw new Interrupted(
      `interrupted before weir has answered: "weir status" shows whether ${server} drains, "weir ready ${server}" undoes it`,
    )
  }
}

interface Finish {
  server: string
  timeoutMs: number
  cut: boolean
}

/** Waits until the server is empty, and cuts what is left where that is wanted. @throws CommandError when it is not empty in time */
async function finish(session: ControlSession, begun: Answered<'drain'>, { server, timeoutMs, cut }: Finish): Promise<void> {
  const atFirst = begun.data.servers.find(({ id }) => id === server)?.inFlight ?? 0
  let left = atFirst
  if (atFirst > 0 && !session.isJson) session.terminal.out(changeText(begun))
  try {
    const waited = await waitFor(session, { server, condition: 'drained', timeoutMs }, ({ remaining }) => {
      left = remaining.inFlight
    })
    if (waited.isMet) return session.show(waited.answered, ({ data }) => `${emptyText(data)}${finished(atFirst)}\n`)
    if (!cut) throw goesOn(waited.late, server)
    await cutRest(session, server, timeoutMs)
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    const last = left === 0 ? '' : ` (${left} in flight when last heard)`
    throw new Interrupted(`interrupted: ${server} goes on draining${last}; ${undo(server)}`)
  }
}

async function cutRest(session: ControlSession, server: string, afterMs: number): Promise<void> {
  const { data } = await session.ask('cut', { server })
  const waited = await waitFor(session, { server, condition: 'drained', timeoutMs: CUT_MS })
  if (!waited.isMet) throw goesOn(waited.late, server)
  const what = `${counted(data.cut, 'connection')} cut`
  session.show(waited.answered, (after) => `${emptyText({ server, waitedMs: afterMs + after.data.waitedMs })} (${what})\n`)
}

function emptyText({ server, waitedMs }: { server: string; waitedMs: number }): string {
  return `${server} is drained after ${span(waitedMs)}`
}

function finished(count: number): string {
  return count === 0 ? '' : ` (${counted(count, 'exchange')} finished)`
}

/** A wait that was too short does not undo the drain. */
function goesOn({ code, message, exit, line }: CommandError, server: string): CommandError {
  return new CommandError({ code, message: `${message}; it goes on draining, and ${undo(server)}`, exit, line })
}

function undo(server: string): string {
  return `"weir ready ${server}" gives it traffic again`
}
