import { controlCommand } from './control-command.ts'
import { statusText } from './status-text.ts'

const ANSWER_MS = 10_000

/** `weir status`: everything at a glance. */
export const statusCommand = controlCommand({
  command: 'status',
  describe: 'Show listeners, servers with their states and reasons, workers, and what commands have changed',
  arguments: (yargs) =>
    yargs
      .example('weir status', 'Everything at a glance')
      .example('weir status --json | jq .data.upstreams[].servers[].state', 'For other programs'),
  async run(_args, session) {
    session.show(await session.ask('status', {}, { withinMs: ANSWER_MS }), statusText)
    return 0
  },
})
