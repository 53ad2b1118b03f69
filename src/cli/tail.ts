import type { Argv } from 'yargs'
import { type ControlArguments, controlCommand } from './control-command.ts'
import { Interrupted } from './control-errors.ts'
import { TailOutput } from './tail/tail-output.ts'
import { whereOption } from './tail/where-option.ts'
import { wholeNumber } from './usage-error.ts'

interface TailArguments extends ControlArguments {
  where: string | undefined
  limit: number | undefined
}

/** `weir tail`: requests as they end, until Ctrl-C. */
export const tailCommand = controlCommand<TailArguments>({
  command: 'tail',
  describe: 'Show requests and connections as they end',
  arguments: tailArguments,
  async run({ where, limit }, session) {
    const output = new TailOutput(session.terminal, session)
    const request = { ...(where === undefined ? {} : { where }), ...(limit === undefined ? {} : { limit }) }
    try {
      await session.ask('tail', request, { onProgress: (data) => output.take(data) })
      return 0
    } catch (error) {
      // That is how a stream without a limit ends.
      if (error instanceof Interrupted) return error.exit
      throw error
    } finally {
      output.tellLost()
    }
  },
})

function tailArguments(yargs: Argv<ControlArguments>): Argv<TailArguments> {
  return yargs
    .option('where', {
      type: 'string',
      coerce: whereOption,
      describe: 'Only those that fit: comparisons (= != < <= > >= ~) of fields, joined by && and ||, with ! and parentheses',
    })
    .option('limit', {
      type: 'string',
      coerce: wholeNumber('limit', { from: 1, to: 1_000_000_000 }),
      describe: 'End after so many',
    })
    .example("weir tail --where 'status>=500 && upstream=api'", 'What fails behind api')
    .example("weir tail --where 'total>200ms || attempts>1' --json", 'What is slow or was tried again, a JSON object per line')
    .example("weir tail --where 'path~^/v1/ && !(client=10.0.0.7)'", 'Paths by a regular expression') as unknown as Argv<TailArguments>
}
