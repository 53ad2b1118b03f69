import { controlCommand } from './control-command.ts'
import { planText } from './plan-text.ts'

/** `weir plan`: what a reload would change, and how. */
export const planCommand = controlCommand({
  command: 'plan',
  describe: 'Show what a reload of the config file would change, and what that would interrupt',
  arguments: (yargs) => yargs.example('weir plan', 'After the config was edited and before weir reload'),
  async run(_args, session) {
    session.show(await session.ask('plan', {}), planText)
    return 0
  },
})
