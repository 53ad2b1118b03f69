import yargs, { type Argv, type CommandModule } from 'yargs'
import { hideBin } from 'yargs/helpers'
import { addCommand } from './add.ts'
import { benchCommand } from './bench.ts'
import { checkCommand } from './check.ts'
import { nameCompletions } from './completion.ts'
import { configCommand } from './config-save.ts'
import { errorEnvelope } from './control-command.ts'
import { demoCommand } from './demo.ts'
import { deployCommand } from './deploy.ts'
import { drainCommand } from './drain.ts'
import { explainCommand } from './explain.ts'
import { maintCommand } from './maint.ts'
import { planCommand } from './plan.ts'
import { proxyCommand } from './proxy.ts'
import { readyCommand } from './ready.ts'
import { reloadCommand } from './reload.ts'
import { removeCommand } from './remove.ts'
import { runCommand } from './run.ts'
import { schemaCommand } from './schema.ts'
import { sessionsCommand } from './sessions.ts'
import { statusCommand } from './status.ts'
import { stopCommand } from './stop.ts'
import { tailCommand } from './tail.ts'
import { processTerminal, type Terminal } from './terminal.ts'
import { topCommand } from './top.ts'
import { trustCommand } from './trust.ts'
import { upgradeCommand } from './upgrade.ts'
import { UsageError } from './usage-error.ts'
import { waitCommand } from './wait.ts'
import { weightCommand } from './weight.ts'
import { whyCommand } from './why.ts'
import { workersCommand } from './workers.ts'

/** All but `completion`, which is of yargs. Each has arguments of its own; the table only needs them to be commands. */
export const commands = [
  ...[runCommand, proxyCommand, demoCommand, checkCommand, explainCommand, schemaCommand, trustCommand, benchCommand],
  ...[statusCommand, workersCommand, sessionsCommand, topCommand, tailCommand, whyCommand],
  ...[drainCommand, readyCommand, maintCommand, weightCommand, addCommand, removeCommand, waitCommand, deployCommand],
  ...[planCommand, reloadCommand, configCommand, upgradeCommand, stopCommand],
] as CommandModule[]

/** Reads the command line and runs the command that it names. Exit code 2 for bad usage. */
export async function runCommandLine(argv: string[], terminal: Terminal = processTerminal()): Promise<void> {
  const words = hideBin(argv)
  const parser = yargs(words)
    .scriptName('weir')
    .usage('$0 <command>')
    .strict()
    .demandCommand(1, 'say what to do')
    .recommendCommands()
    .locale('en')
  for (const command of commands) parser.command(command)
  complete(parser, terminal)
  parser.fail((message, error) => {
    // A command that fails has no message here, only its error.
    throw message === null ? error : new UsageError(message.replace(/^Not enough non-option arguments.*/, 'an argument is missing'))
  })
  try {
    await parser.wrap(Math.min(110, parser.terminalWidth())).parseAsync(words, { terminal })
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    if (words.includes('--json')) terminal.out(`${JSON.stringify(errorEnvelope('bad-request', error.message, 2))}\n`)
    else terminal.err(`weir: ${error.message}\nTry "${helpFor(words)}".\n`)
    terminal.setExit(2)
  }
}

function helpFor([verb = '']: readonly string[]): string {
  const isKnown = commands.some(({ command }) => String(command).split(' ')[0] === verb)
  return isKnown ? `weir ${verb} --help` : 'weir --help'
}

/** `weir completion` prints a script for the shell; what it offers are commands, options, and names out of the running weir. */
function complete(parser: Argv, terminal: Terminal): void {
  const offer = async (words: readonly string[], args: { socket?: string; config?: string }) =>
    nameCompletions(words, { socket: args.socket, config: args.config }, terminal).catch(() => null)
  parser.completion('completion', 'Print a script that completes commands and names in a shell: weir completion >> ~/.bashrc', ((
    _current: string,
    args: { _: string[]; socket?: string; config?: string },
    usual: () => void,
    done: (names: string[]) => void,
  ) => {
    void offer(args._, args).then((names) => (names === null ? usual() : done(names)))
  }) as unknown as () => void)
}
