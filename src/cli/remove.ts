import { changeParts, changeText, forceOptions } from './change.ts'
import { controlCommand } from './control-command.ts'
import { serverPositional } from './server-argument.ts'

/** `weir remove U/S`: removes a server; what runs on it finishes. */
export const removeCommand = controlCommand({
  command: 'remove <server>',
  describe: 'Remove a server from its upstream; what runs on it finishes',
  arguments: (yargs) => forceOptions(serverPositional(yargs)).example('weir remove api/g', 'Upstream api goes on without server g'),
  async run({ server, ...args }, session) {
    session.show(await session.ask('remove', { server, ...changeParts(args) }), changeText)
    return 0
  },
})
