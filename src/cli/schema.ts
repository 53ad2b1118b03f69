import type { CommandModule } from 'yargs'
import { jsonSchema } from '../shared/config/describe.ts'

/** `weir schema`: the JSON Schema of the config, for editors and other tools. */
export const schemaCommand: CommandModule = {
  command: 'schema',
  describe: 'Print the JSON Schema of the config',
  handler: () => {
    process.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`)
  },
}
