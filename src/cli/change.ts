import type { Argv } from 'yargs'
import type { ChangeData } from '../shared/control/data.ts'
import type { ControlArguments } from './control-command.ts'
import { printable } from './words.ts'

export interface ChangeArguments extends ControlArguments {
  'dry-run': boolean
}

export interface ForceArguments extends ChangeArguments {
  force: boolean
}

/** The option of every command that changes something. */
export function changeOptions<T extends ControlArguments>(yargs: Argv<T>): Argv<T & ChangeArguments> {
  return yargs.option('dry-run', { type: 'boolean', default: false, describe: 'Say what would happen and do nothing' }) as Argv<
    T & ChangeArguments
  >
}

/** The options of those that can leave an upstream without a server. */
export function forceOptions<T extends ControlArguments>(yargs: Argv<T>): Argv<T & ForceArguments> {
  return changeOptions(yargs).option('force', {
    type: 'boolean',
    default: false,
    describe: 'Also where it leaves the upstream without a usable server',
  }) as Argv<T & ForceArguments>
}

/** The parts of a request that these options stand for; what was not asked for is left out. */
export function changeParts({ 'dry-run': dryRun, force }: { 'dry-run': boolean; force?: boolean }): { dryRun?: true; force?: true } {
  return { ...(dryRun ? { dryRun: true } : {}), ...(force === true ? { force: true } : {}) }
}

/** What a command did to servers, or would do, in a line. */
export function changeText({ data: { dryRun, what } }: { data: ChangeData }): string {
  return `${dryRun ? 'dry run: ' : ''}${printable(what)}\n`
}
