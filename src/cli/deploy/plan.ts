import type { ServerStatus, UpstreamStatus } from '../../shared/control/data.ts'
import { CommandError } from '../control-errors.ts'
import { capacityBeside } from './capacity.ts'
import { factsOf, fillTemplate } from './command-template.ts'
import type { DeployOptions } from './options.ts'

/** What is going to happen, before anything does. */
export interface DeployPlan {
  /** Servers that are deployed at the same time, in the order of the config. */
  batches: ServerStatus[][]
  skipped: { server: ServerStatus; why: string }[]
  /** Ids of all servers as the config has them. */
  order: readonly string[]
}

/**
 * Batches, and the servers that are left out. Pure.
 * @throws CommandError (exit 5) when the floor would be broken; BadTemplate (exit 2) when a command cannot be filled in
 */
export function planDeploy(upstream: UpstreamStatus, options: DeployOptions): DeployPlan {
  const skipped = upstream.servers.flatMap((server) => {
    const why = whyLeftOut(server, options)
    return why === null ? [] : [{ server, why }]
  })
  const chosen = upstream.servers.filter((server) => whyLeftOut(server, options) === null)
  if (chosen.length === 0) throw nothingToDo(upstream)
  for (const server of chosen) commandsFor(server, options)
  const batches = chosen.flatMap((_, i) => (i % options.batchSize === 0 ? [chosen.slice(i, i + options.batchSize)] : []))
  if (!options.isForced) requireFloor(upstream, batches, options)
  return { batches, skipped, order: upstream.servers.map(({ id }) => id) }
}

/** Why a server is not deployed; null when it is. */
export function whyLeftOut({ admin }: ServerStatus, { includesDrained }: DeployOptions): string | null {
  if (admin === 'ready' || includesDrained) return null
  return `it is ${admin === 'drain' ? 'drained' : 'in maint'} already (--include-drained deploys it, too)`
}

/** The commands of one server as the shell gets them. @throws BadTemplate */
export function commandsFor({ upstream, name, address }: ServerStatus, { command, rollback }: DeployOptions): FilledCommands {
  const facts = factsOf(upstream, name, address)
  return { deploy: fillTemplate(command, facts), rollback: rollback === null ? null : fillTemplate(rollback, facts) }
}

export interface FilledCommands {
  deploy: string
  rollback: string | null
}

/** As things are now. Each batch is looked at again when its turn comes. */
function requireFloor(upstream: UpstreamStatus, batches: ServerStatus[][], { floor }: DeployOptions): void {
  const assumedUp = new Set<string>()
  for (const batch of batches) {
    const without = new Set(batch.map(({ id }) => id))
    const { at, text } = capacityBeside(upstream, { without, floor, assumedUp })
    if (at === 'below') throw refusal(upstream, batch, text)
    // A server that is down now may be what the deploy repairs.
    for (const id of without) assumedUp.add(id)
  }
}

function nothingToDo({ name, servers }: UpstreamStatus): CommandError {
  const all = servers.length === 0 ? 'has no servers' : 'has only servers that are drained or in maint (--include-drained deploys them)'
  return new CommandError({ code: 'refused', message: `nothing to deploy: ${name} ${all}`, exit: 5 })
}

function refusal({ name, servers }: UpstreamStatus, batch: ServerStatus[], text: string): CommandError {
  const what = `draining ${batch.map(({ id }) => id).join(', ')} leaves too little: ${text}`
  const alone = `${name} has one server: requests wait for it in \`hold\` while it restarts, if that is long enough; --force deploys it`
  const several = `${what}; fewer at once (--batch), a lower --floor, or --force`
  return new CommandError({ code: 'refused', message: servers.length === 1 ? alone : several, exit: 5 })
}
