import type { CommandModule } from 'yargs'
import { jsonSchema } from '../shared/config/describe.ts'

/** `weir schema`: the JSON Schema of the config, for editors and other tools. */
export const schemaCommand: CommandModule = {
  command: 'schema',
  describe: 'Print the JSON Schema of the config',
  builder: (yargs) => yargs.example('weir schema > weir.schema.json', 'For the editor in which the config is written'),
  handler: () => {
    process.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`)
  },
}
