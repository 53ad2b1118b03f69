import type { Argv } from 'yargs'
import { type ControlArguments, controlCommand } from './control-command.ts'
import { safeJson } from './tail/safe-json.ts'
import { whyText } from './why/story.ts'

interface WhyArguments extends ControlArguments {
  id: string
}

const ANSWER_MS = 30_000

/** `weir why REQUEST_ID`: the story of one recent request. Exit code 4 when nothing is kept of it. */
export const whyCommand = controlCommand<WhyArguments>({
  command: 'why <id>',
  describe: 'Tell what happened to a recent request, and why',
  arguments: (yargs) =>
    yargs
      .positional('id', {
        type: 'string',
        demandOption: true,
        describe: 'Its X-Request-Id, as in the response, the log, or weir tail --json',
      })
      .example('weir why 0193b7c2f1a94e53', 'Its attempts, where its time went, and how its servers were') as unknown as Argv<WhyArguments>,
  async run({ id }, session) {
    const answered = await session.ask('why', { id: String(id) }, { withinMs: ANSWER_MS })
    session.terminal.out(session.isJson ? `${safeJson(answered.line)}\n` : whyText(answered.data, session.screen))
    return 0
  },
})
