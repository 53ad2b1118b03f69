import { changeParts, changeText, forceOptions } from './change.ts'
import { controlCommand } from './control-command.ts'
import { serverPositional } from './server-argument.ts'

/** `weir maint U/S`: takes a server out of service. */
export const maintCommand = controlCommand({
  command: 'maint <server>',
  describe: 'Take a server out of service, checks included',
  arguments: (yargs) =>
    forceOptions(serverPositional(yargs)).example('weir maint api/a', 'Nothing new goes to server a, and nobody checks it; see weir ready'),
  async run({ server, ...args }, session) {
    session.show(await session.ask('maint', { server, ...changeParts(args) }), changeText)
    return 0
  },
})
