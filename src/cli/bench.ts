import { accessSync, constants, mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import type { CommandModule } from 'yargs'
import type { Fleet } from './bench/fleet.ts'
import type { BenchResult, FleetResult } from './bench/result.ts'
import { type Settings, settingsOf } from './bench/settings.ts'
import { type CommandContext, tell } from './control-command.ts'
import { CommandError, Interrupted } from './control-errors.ts'
import { descriptorLimit } from './descriptors.ts'
import type { Screen } from './table.ts'
import { UsageError, wholeNumber } from './usage-error.ts'

interface Arguments {
  quick: boolean
  config: string | undefined
  socket: string | undefined
  fleet: string[] | undefined
  policy: string[] | undefined
  rounds: number | undefined
  seconds: number | undefined
  rate: number | undefined
  seed: number | undefined
  output: string
  json: boolean
}

/** `weir bench`: which policy suits which fleet, measured here. */
export const benchCommand: CommandModule<object, Arguments> = {
  command: 'bench',
  describe: 'Compare balancing policies on fleets of mock servers, or on the upstreams of a config',
  builder: (yargs) =>
    yargs
      .option('quick', { type: 'boolean', default: false, describe: 'Fewer policies and shorter rounds: about a minute and a half' })
      .option('config', { alias: 'c', type: 'string', describe: 'Use the upstreams, weights and policies of this config' })
      .option('socket', {
        type: 'string',
        describe: 'Control socket of the weir whose latencies servers get; that of --config if it answers',
      })
      .option('fleet', { type: 'string', describe: 'Only these fleets, or upstreams of the config: a,b', coerce: listOption })
      .option('policy', { type: 'string', describe: 'Only these policies: least-connections,ring', coerce: listOption })
      .option('rounds', {
        type: 'string',
        describe: 'How often each policy is measured; 3, or 2 when quick',
        coerce: countOption('rounds', 100),
      })
      .option('seconds', { type: 'string', describe: 'How long each time; 4, or 1 when quick', coerce: countOption('seconds', 600) })
      .option('rate', {
        type: 'string',
        describe: 'Requests per second; that of each fleet when not given',
        coerce: countOption('rate', 5_000),
      })
      .option('seed', { type: 'string', describe: 'Other service times, arrivals and keys', coerce: countOption('seed', 2 ** 31 - 1) })
      .option('output', { type: 'string', default: 'bench/results', describe: 'Folder in which the report gets a folder of its own' })
      .option('json', { type: 'boolean', default: false, describe: 'Print the result as JSON' })
      .example('weir bench --quick', 'A first look, in a minute and a half')
      .example('weir bench --config weir.yaml', 'Your own upstreams, with the latencies of the weir that serves them')
      .example('weir bench --fleet one-slow --policy least-time,round-robin', 'One question') as never,
  handler: async (args) => {
    const given = args as unknown as Arguments & CommandContext
    const { terminal } = given
    const interrupt = new AbortController()
    const ignore = terminal.onInterrupt(() => interrupt.abort())
    try {
      await bench(given, interrupt.signal)
    } catch (error) {
      if (error instanceof UsageError) throw error
      terminal.setExit(tell(asAnswer(error), { terminal, isJson: args.json }))
    } finally {
      ignore()
    }
  },
}

/** Runs it, shows each fleet when it is finished, and writes the report. */
async function bench(args: Arguments & CommandContext, signal: AbortSignal): Promise<void> {
  const { terminal, json } = args
  const cores = availableParallelism()
  const settings = settingsOf({ ...args, isQuick: args.quick, cores })
  // Only here: other commands need none of it.
  const [{ chooseFleets }, { runBench }, { fleetTable }] = await Promise.all([
    import('./bench/choose-fleets.ts'),
    import('./bench/run-bench.ts'),
    import('./bench/report/terminal.ts'),
  ])
  const { fleets, isLive } = await chooseFleets({ ...args, terminal, cores, openFiles: descriptorLimit() })
  const screen: Screen = { width: terminal.outWidth, hasColour: terminal.hasColour }
  const onFleet = (fleet: FleetResult) => (json ? undefined : terminal.out(`${fleetTable(fleet, screen)}\n`))
  const time = new Date()
  const folder = reportFolder(args, time)
  if (!json) terminal.err(`${plannedText(fleets, settings)}\n`)
  const { results, fault } = await runBench(fleets, { settings, terminal, isSilent: json, signal, onFleet })
  const result = await resultOf({
    time,
    settings,
    fleets: results,
    config: args.config,
    isLive,
    isInterrupted: signal.aborted || fault !== null,
  })
  if (results.length > 0 && !(json && fault !== null)) await report(result, folder, args)
  else if (signal.aborted && fault === null) throw new Interrupted('interrupted before anything was measured')
  if (fault !== null) throw fault
  terminal.setExit(signal.aborted ? 130 : 0)
}

/** Of this run. What it is in can be written to: that is not found out when everything is measured. @throws CommandError */
function reportFolder({ output, terminal }: Arguments & CommandContext, time: Date): string {
  const above = resolve(terminal.cwd, output)
  try {
    mkdirSync(above, { recursive: true })
    accessSync(above, constants.W_OK)
  } catch (error) {
    throw new CommandError({ code: 'failed', message: `no report can be written to ${above}: ${(error as Error).message}`, exit: 1 })
  }
  return join(above, time.toISOString().slice(0, 19).replaceAll(':', '-'))
}

async function report(result: BenchResult, folder: string, { terminal, json }: Arguments & CommandContext): Promise<void> {
  const { writeReport } = await import('./bench/report/write.ts')
  const paths = await writeReport(result, folder)
  if (json) {
    terminal.out(`${JSON.stringify({ schema: 'weir.bench/1', generation: null, time: result.time, data: { ...result, files: paths } })}\n`)
    return
  }
  if (result.isInterrupted) terminal.err('weir: interrupted: this is what was measured until then\n')
  terminal.out(`${paths.length} files in ${folder}\n${paths[0] ?? ''}\n`)
}

interface Measured {
  time: Date
  settings: Settings
  fleets: FleetResult[]
  config: string | undefined
  isLive: boolean
  isInterrupted: boolean
}

async function resultOf({ time, settings, fleets, config, isLive, isInterrupted }: Measured): Promise<BenchResult> {
  const { describeEnvironment } = await import('./bench/environment.ts')
  const { rounds, seconds, warmUpSeconds, isQuick, seed } = settings
  return {
    schema: 1,
    time: time.toISOString(),
    environment: describeEnvironment(),
    settings: { rounds, seconds, warmUpSeconds, isQuick, seed, config: config ?? null, isLive },
    fleets,
    isInterrupted,
  }
}

function plannedText(fleets: readonly Fleet[], { rounds, seconds, warmUpSeconds, lanes }: Settings): string {
  const stretches = fleets.reduce((sum, { policies }) => sum + policies.length * rounds, 0)
  const about = Math.ceil((stretches * (seconds + warmUpSeconds + 0.5)) / Math.min(lanes, fleets.length))
  return `${fleets.map(({ name }) => name).join(', ')}: ${rounds} rounds of ${seconds} s for each policy, about ${about} s`
}

/** Anything that went wrong is a sentence here, as everywhere. */
function asAnswer(error: unknown): unknown {
  if (!(error instanceof Error) || 'exit' in error) return error
  return new CommandError({ code: 'failed', message: error.message, exit: 1 })
}

function listOption(text: string | string[] | undefined): string[] | undefined {
  if (text === undefined) return undefined
  return [text]
    .flat()
    .flatMap((one) => one.split(','))
    .filter((name) => name !== '')
}

function countOption(name: string, to: number): (text: string | undefined) => number | undefined {
  return wholeNumber(name, { from: 1, to })
}
