import type { CommandModule } from 'yargs'
import type { SaveData } from '../shared/control/data.ts'
import { changeOptions, changeParts } from './change.ts'
import { controlCommand } from './control-command.ts'
import { printable } from './words.ts'

const saveCommand = controlCommand({
  command: 'save',
  describe: 'Write what commands have changed into the config file (YAML); comments stay',
  arguments: (yargs) =>
    changeOptions(yargs)
      .example('weir config save --dry-run', 'Show the file as it would be')
      .example('weir config save', 'Weights, drains and added servers are in the file from now on'),
  async run(args, session) {
    session.show(await session.ask('save', changeParts(args)), saveText)
    return 0
  },
})

/** `weir config save`. */
export const configCommand: CommandModule = {
  command: 'config',
  describe: 'Work on the config file of the running weir',
  builder: (yargs) =>
    yargs
      .command(saveCommand as CommandModule)
      .demandCommand(1, 'say what to do with it: weir config save')
      .example('weir config save', 'Write what commands have changed into the config file'),
  handler: () => undefined,
}

/** What was written; for a dry run the whole file as well. */
export function saveText({ data: { file, dryRun, edits, text } }: { data: SaveData }): string {
  if (edits.length === 0) return `no changes: ${file} says what is in force\n`
  const list = edits.map((edit) => `  ${printable(edit)}\n`).join('')
  return `${dryRun ? 'dry run: would write to' : 'wrote to'} ${file}:\n${list}${dryRun ? `\n${text.trimEnd()}\n` : ''}`
}
