import type { Argv } from 'yargs'
import { type ChangeArguments, changeOptions, changeParts } from './change.ts'
import { controlCommand } from './control-command.ts'
import { durationOption } from './usage-error.ts'
import { span } from './words.ts'

interface StopArguments extends ChangeArguments {
  grace: number | undefined
}

/** `weir stop`: finishes what is there and ends. */
export const stopCommand = controlCommand<StopArguments>({
  command: 'stop',
  describe: 'Finish what is there and end the running weir',
  arguments: (yargs) =>
    changeOptions(yargs)
      .option('grace', {
        type: 'string',
        coerce: durationOption('grace'),
        describe: 'How long what is there may take, 0s is no limit; as the config says when not given',
      })
      .example('weir stop --grace 10s', 'End within ten seconds') as Argv<StopArguments>,
  async run({ grace, ...args }, session) {
    const answered = await session.ask('stop', { ...(grace === undefined ? {} : { graceMs: grace }), ...changeParts(args) })
    session.show(answered, ({ data }) => `${args['dry-run'] ? 'dry run: ' : ''}${stopText(data.graceMs)}\n`)
    return 0
  },
})

function stopText(graceMs: number): string {
  return `weir stops: ${graceMs === 0 ? 'what is there may take any time' : `what is there may take ${span(graceMs)}`}`
}
