import yargs, { type CommandModule } from 'yargs'
import { hideBin } from 'yargs/helpers'
import { checkCommand } from './check.ts'
import { demoCommand } from './demo.ts'
import { explainCommand } from './explain.ts'
import { proxyCommand } from './proxy.ts'
import { runCommand } from './run.ts'
import { schemaCommand } from './schema.ts'

// Each command has arguments of its own; the table only needs them to be commands.
const commands = [runCommand, proxyCommand, demoCommand, checkCommand, explainCommand, schemaCommand] as CommandModule[]

/** Reads the command line and runs the command that it names. Exit code 2 for bad usage. */
export async function runCommandLine(argv: string[]): Promise<void> {
  const parser = yargs(hideBin(argv))
    .scriptName('weir')
    .usage('$0 <command>')
    .strict()
    .demandCommand(1, 'say what to do')
    .recommendCommands()
  for (const command of commands) parser.command(command)
  parser.fail((message, error) => {
    if (error) throw error
    process.stderr.write(`weir: ${message}\nTry "weir --help".\n`)
    process.exit(2)
  })
  await parser.wrap(Math.min(110, parser.terminalWidth())).parseAsync()
}
