import { changeOptions, changeParts } from './change.ts'
import { controlCommand } from './control-command.ts'
import { span } from './words.ts'

/** `weir upgrade`: the program anew, on the same sockets. */
export const upgradeCommand = controlCommand({
  command: 'upgrade',
  describe: 'Start the program anew on the same sockets, and end the running one when the new one is ready',
  arguments: (yargs) => changeOptions(yargs).example('weir upgrade', 'After a new version was installed: no connection is lost'),
  async run(args, session) {
    const answered = await session.ask('upgrade', changeParts(args))
    session.show(answered, ({ data }) =>
      args['dry-run']
        ? 'dry run: the program would be started anew\n'
        : `process ${data.pid} serves now: it was ready after ${span(data.tookMs)}, and the one before it finishes what it has\n`,
    )
    return 0
  },
})
