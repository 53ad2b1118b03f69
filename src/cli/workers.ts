import { controlCommand } from './control-command.ts'
import { workersTable } from './workers-text.ts'

const ANSWER_MS = 10_000

/** `weir workers`: the worker processes. */
export const workersCommand = controlCommand({
  command: 'workers',
  describe: 'Show the worker processes',
  arguments: (yargs) => yargs.example('weir workers', 'Which of them are ready, how loaded, and how often one was replaced'),
  async run(_args, session) {
    session.show(await session.ask('workers', {}, { withinMs: ANSWER_MS }), ({ data }, screen) => workersTable(data.workers, screen))
    return 0
  },
})
