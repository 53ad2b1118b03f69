import type { Argv, CommandModule } from 'yargs'
import { type CommandContext, type ControlArguments, controlOptions, tell } from './control-command.ts'
import { socketPaths } from './control-socket.ts'
import { dryRunReport, dryRunText } from './deploy/dry-run.ts'
import { hearInterrupts, outliveReaders } from './deploy/interrupts.ts'
import { lockUpstream } from './deploy/lock.ts'
import { type DeployArguments, type DeployOptions, readOptions } from './deploy/options.ts'
import { planDeploy } from './deploy/plan.ts'
import { jsonProgress, type Progress, textProgress } from './deploy/progress.ts'
import { realEffects } from './deploy/real-effects.ts'
import { type DeploySignals, rollOut } from './deploy/rollout.ts'
import { upstreamNow } from './deploy/server-actions.ts'

type DeployCommandArguments = DeployArguments & ControlArguments & { 'dry-run': boolean }

/**
 * `weir deploy U --cmd '…'`: one server after the other gets drained, the command run for it, checked and watched. Exit codes: 0 all
 * are new; 2 bad usage; 3 weir not reachable; 4 a command, check or soak failed; 5 refused; 130 interrupted.
 */
export const deployCommand: CommandModule<object, DeployCommandArguments> = {
  command: 'deploy <upstream>',
  describe: 'Run a command for each server of an upstream in turn, without traffic on it meanwhile',
  builder: (yargs) => deployOptions(controlOptions(yargs)),
  handler: (args) => deploy(args as unknown as DeployCommandArguments & CommandContext),
}

function deployOptions(yargs: Argv<ControlArguments>): Argv<DeployCommandArguments> {
  const text = (fallback: string, describe: string) => ({ type: 'string' as const, default: fallback, describe })
  const flag = (describe: string) => ({ type: 'boolean' as const, default: false, describe })
  return yargs
    .positional('upstream', { type: 'string', demandOption: true, describe: 'Its servers are deployed in the order of the config' })
    .option('cmd', {
      type: 'string',
      demandOption: true,
      describe: 'Shell command, run once per server: {address} {host} {port} {name} {upstream}, and {{ }} for braces',
    })
    .option('batch', { type: 'number', default: 1, describe: 'Servers at the same time' })
    .option('floor', text('50%', 'Share of the weight that stays in traffic, and one server at least; else refused'))
    .option('drain-timeout', text('30s', 'How long requests and tunnels may take to finish before they are cut'))
    .option('cmd-timeout', text('5m', 'How long the command may take before it is killed'))
    .option('checks', { type: 'number', default: 2, describe: 'Good checks in a row after the command' })
    .option('health-timeout', text('60s', 'How long they may take'))
    .option('soak', text('10s', 'How long a new server is watched; 0 does not watch'))
    .option('max-failures', text('1%', 'Failures of a new server that are accepted'))
    .option('max-slowdown', text('3x', 'How many times the p99 of the others its p99 to the first byte may be'))
    .option('rollback-cmd', { type: 'string', describe: 'Run for a server whose deploy fails' })
    .option('rollback-all', flag('Then also for the servers that are deployed already, one by one'))
    .option('include-drained', flag('Also servers that are drained or in maint, which then get traffic'))
    .option('force', flag('Also below the floor'))
    .option('dry-run', flag('Print the steps and commands and do nothing'))
    .example("weir deploy api --cmd 'ssh {host} systemctl restart api'", 'One server after the other')
    .example("weir deploy api --batch 2 --cmd './push.sh {name} {address}'", 'Two at a time')
    .example(
      "weir deploy api --cmd './put v2 {host}' --rollback-cmd './put v1 {host}'",
      'Back when it fails',
    ) as unknown as Argv<DeployCommandArguments>
}

async function deploy(args: DeployCommandArguments & CommandContext): Promise<void> {
  const { terminal, json: isJson } = args
  outliveReaders()
  const signals = hearInterrupts()
  try {
    const options = readOptions(args)
    const paths = await socketPaths(args, terminal)
    const release = args['dry-run'] ? () => undefined : await lockUpstream(paths[0] ?? '', options.upstream)
    try {
      terminal.setExit(await planned(args, { options, paths, signals }))
    } finally {
      release()
    }
  } catch (error) {
    terminal.setExit(tell(error, { terminal, isJson }))
  } finally {
    signals.dispose()
  }
}

interface Task {
  options: DeployOptions
  paths: readonly string[]
  signals: DeploySignals
}

/** Answers the exit code. @throws before anything is touched */
async function planned(args: DeployCommandArguments & CommandContext, { options, paths, signals }: Task): Promise<number> {
  const effects = realEffects(paths, signals.stopNow)
  const progress = args.json ? jsonProgress(args.terminal, effects.generation) : textProgress(args.terminal, effects.now)
  try {
    const kit = { options, effects, tell: progress.tell.bind(progress) }
    const plan = planDeploy(await upstreamNow(kit, signals.stop), options)
    if (args['dry-run']) return showPlan(args, progress, plan, options)
    kit.tell({ event: 'plan', server: null, step: null, text: planText(plan, options) })
    const report = await rollOut(plan, kit, signals)
    progress.finish(report)
    return report.exit
  } finally {
    progress.dispose()
  }
}

function showPlan(
  { json, terminal }: DeployCommandArguments & CommandContext,
  progress: Progress,
  plan: Parameters<typeof dryRunText>[0],
  options: DeployOptions,
): number {
  if (json) progress.finish(dryRunReport(plan, options))
  else terminal.out(`${dryRunText(plan, options).join('\n')}\n`)
  return 0
}

function planText({ batches, skipped }: Parameters<typeof dryRunText>[0], { upstream, batchSize }: DeployOptions): string {
  const count = batches.reduce((sum, batch) => sum + batch.length, 0)
  const left = skipped.length === 0 ? '' : `, ${skipped.length} skipped`
  return `deploying ${upstream}: ${count} servers${left}, ${batchSize === 1 ? 'one at a time' : `${batchSize} at a time`}`
}
