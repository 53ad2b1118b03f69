import type { CommandModule } from 'yargs'
import type { Running } from '../primary/primary.ts'
import { findConfig } from '../shared/config/load.ts'
import { renderProblems } from '../shared/config/problem.ts'
import { type LoadedSource, loadSource } from '../shared/config/source.ts'
import { fail } from './fail.ts'

interface Arguments {
  config: string | undefined
}

/** `weir run [config]`: starts the balancer in the foreground. */
export const runCommand: CommandModule<object, Arguments> = {
  command: 'run [config]',
  describe: 'Run the balancer in the foreground',
  builder: (yargs) =>
    yargs
      .positional('config', { type: 'string', describe: 'Configuration file; found in this folder when not given' })
      .option('config', { alias: 'c', type: 'string' })
      .example('weir run weir.yaml', 'Serve what weir.yaml says until a signal comes'),
  handler: async ({ config }) => {
    const path = config ?? findConfig(process.cwd())
    if (path === null) return fail('no configuration here: give a file, or make weir.yaml (see "weir schema")')
    await runLoaded(await loadSource(path), path)
  },
}

/** Runs a configuration that was loaded; null when it has said what is wrong with it. */
export async function runLoaded({ loaded, module }: LoadedSource, file: string | null): Promise<Running | null> {
  if (!loaded.ok) {
    process.stderr.write(`${renderProblems(loaded.problems)}\n`)
    process.exitCode = 1
    return null
  }
  if (loaded.warnings.length > 0) process.stderr.write(`${renderProblems(loaded.warnings)}\n`)
  // Only here: commands that ask a running weir start in half the time without the primary.
  const { startPrimary } = await import('../primary/primary.ts')
  const { obeySignals } = await import('../primary/signals.ts')
  const log = (line: string) => process.stderr.write(`weir: ${line}\n`)
  try {
    const source = { config: loaded.config, module }
    const running = await startPrimary({ source, file, print: (line) => process.stdout.write(`${line}\n`), log })
    obeySignals(running, log)
    return running
  } catch (error) {
    fail((error as Error).message)
    process.exit(1)
  }
}
