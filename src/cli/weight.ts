import { changeParts, changeText, forceOptions } from './change.ts'
import { controlCommand } from './control-command.ts'
import { serverPositional } from './server-argument.ts'

/** `weir weight U/S 50%`: changes the share of requests that a server gets. */
export const weightCommand = controlCommand({
  command: 'weight <server> <weight>',
  describe: 'Change the weight of a server',
  arguments: (yargs) =>
    forceOptions(serverPositional(yargs))
      .positional('weight', {
        type: 'string',
        demandOption: true,
        describe: 'A share of the configured weight, such as 50%, or a number from 0 to 256; 100% is as configured',
      })
      .example('weir weight api/a 50%', 'Half of the configured weight')
      .example('weir weight api/a 100%', 'As configured'),
  async run({ server, weight, ...args }, session) {
    session.show(await session.ask('weight', { server, weight, ...changeParts(args) }), changeText)
    return 0
  },
})
