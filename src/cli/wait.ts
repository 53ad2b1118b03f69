import type { Argv } from 'yargs'
import type { WaitData } from '../shared/control/data.ts'
import { type ControlArguments, controlCommand } from './control-command.ts'
import { Interrupted } from './control-errors.ts'
import { serverPositional } from './server-argument.ts'
import { durationOption, UsageError, wholeNumber } from './usage-error.ts'
import { waitFor } from './waiting.ts'
import { counted, span } from './words.ts'

interface WaitArguments extends ControlArguments {
  server: string
  condition: WaitData['condition']
  for: number
  checks: number | undefined
}

/** `weir wait U/S drained --for 30s`: exit code 0 when it came true, 4 when not in time. */
export const waitCommand = controlCommand<WaitArguments>({
  command: 'wait <server> <condition>',
  describe: 'Wait until a server is drained, up, or was checked well several times',
  arguments: waitArguments,
  async run({ server, condition, for: timeoutMs, checks }, session) {
    const request = { server, condition, timeoutMs, ...(checks === undefined ? {} : { checks }) }
    const waited = await waitFor(session, request).catch((error: unknown) => {
      throw error instanceof Interrupted ? new Interrupted('interrupted: weir wait has changed nothing') : error
    })
    if (!waited.isMet) throw waited.late
    session.show(waited.answered, ({ data }) => `${metText(data)}\n`)
    return 0
  },
})

function waitArguments(yargs: Argv<ControlArguments>): Argv<WaitArguments> {
  return serverPositional(yargs)
    .positional('condition', {
      choices: ['drained', 'up', 'checked'] as const,
      demandOption: true,
      describe: 'drained: nothing in flight; up: usable; checked: good checks in a row from now on, see --checks',
    })
    .option('for', { type: 'string', default: '30s', coerce: durationOption('for'), describe: 'How long to wait' })
    .option('checks', { type: 'string', coerce: wholeNumber('checks', { from: 1, to: 1_000 }), describe: 'How many good checks' })
    .check(({ condition, checks }) => {
      if (checks !== undefined && condition !== 'checked') throw new UsageError('--checks goes with the condition "checked"')
      return true
    })
    .example('weir wait api/a drained --for 30s', 'After weir drain api/a: until nothing is in flight')
    .example('weir wait api/a checked --checks 3', 'Until three checks in a row were good') as unknown as Argv<WaitArguments>
}

/** `api/a is drained after 4.2 s`. */
function metText({ server, condition, waitedMs, goodChecks }: WaitData): string {
  if (condition === 'checked') return `${server} had ${counted(goodChecks, 'good check')} in a row after ${span(waitedMs)}`
  return `${server} is ${condition} after ${span(waitedMs)}`
}
