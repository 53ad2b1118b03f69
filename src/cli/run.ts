import type { CommandModule } from 'yargs'
import { type Running, startPrimary } from '../primary/primary.ts'
import { obeySignals } from '../primary/signals.ts'
import { findConfig, type LoadResult, loadConfig } from '../shared/config/load.ts'
import { renderProblems } from '../shared/config/problem.ts'
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
    await runLoaded(await loadConfig(path), /\.[cm]?[jt]s$/.test(path) ? path : null)
  },
}

/** Runs a configuration that was loaded; null when it has said what is wrong with it. */
export async function runLoaded(loaded: LoadResult, module: string | null): Promise<Running | null> {
  if (!loaded.ok) {
    process.stderr.write(`${renderProblems(loaded.problems)}\n`)
    process.exitCode = 1
    return null
  }
  if (loaded.warnings.length > 0) process.stderr.write(`${renderProblems(loaded.warnings)}\n`)
  const log = (line: string) => process.stderr.write(`weir: ${line}\n`)
  try {
    const running = await startPrimary({ config: loaded.config, module, print: (line) => process.stdout.write(`${line}\n`), log })
    obeySignals(running, loaded.config.shutdown.graceMs, log)
    return running
  } catch (error) {
    fail((error as Error).message)
    process.exit(1)
  }
}
