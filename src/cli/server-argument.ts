import type { Argv } from 'yargs'
import type { ControlArguments } from './control-command.ts'
import { serverArgument } from './usage-error.ts'

/** The first argument of commands about one server. */
export function serverPositional<T extends ControlArguments>(yargs: Argv<T>): Argv<T & { server: string }> {
  return yargs.positional('server', {
    type: 'string',
    demandOption: true,
    describe: 'Server, as upstream/server',
    coerce: serverArgument,
  }) as Argv<T & { server: string }>
}
