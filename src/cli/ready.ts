import { changeOptions, changeParts, changeText } from './change.ts'
import { controlCommand } from './control-command.ts'
import { serverPositional } from './server-argument.ts'

/** `weir ready U/S`: gives a server traffic again. */
export const readyCommand = controlCommand({
  command: 'ready <server>',
  describe: 'Give a server traffic again after drain or maint',
  arguments: (yargs) => changeOptions(serverPositional(yargs)).example('weir ready api/a', 'Server a of upstream api takes requests again'),
  async run({ server, ...args }, session) {
    session.show(await session.ask('ready', { server, ...changeParts(args) }), changeText)
    return 0
  },
})
