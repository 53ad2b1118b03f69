import { changeOptions, changeParts } from './change.ts'
import { controlCommand } from './control-command.ts'
import { reloadText } from './plan-text.ts'

/** `weir reload`: the config file is applied on all workers, or on none. */
export const reloadCommand = controlCommand({
  command: 'reload',
  describe: 'Apply the config file; what it does not change goes on undisturbed',
  arguments: (yargs) => changeOptions(yargs).example('weir reload', 'All workers serve the new config, or all go on with the old one'),
  async run(args, session) {
    session.show(await session.ask('reload', changeParts(args)), reloadText)
    return 0
  },
})
