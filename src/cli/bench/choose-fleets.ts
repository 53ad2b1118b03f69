/** What is to be measured, by the command line. */
import { loadConfig } from '../../shared/config/load.ts'
import { renderProblems } from '../../shared/config/problem.ts'
import { CommandError } from '../control-errors.ts'
import type { Terminal } from '../terminal.ts'
import { UsageError } from '../usage-error.ts'
import type { Fleet } from './fleet.ts'
import { builtInFleets } from './fleets.ts'
import { liveProfiles } from './live-profiles.ts'
import { descriptorObstacle, machineNotes } from './obstacles.ts'
import { httpUpstreams, ownFleets } from './own-fleets.ts'
import { type Policy, policiesNamed } from './policies.ts'

export interface Choice {
  quick: boolean
  config: string | undefined
  socket: string | undefined
  fleet: readonly string[] | undefined
  policy: readonly string[] | undefined
  rate: number | undefined
  terminal: Terminal
  cores: number
  openFiles: number
}

export interface Chosen {
  fleets: Fleet[]
  /** Some latencies come from a running balancer. */
  isLive: boolean
}

/** @throws UsageError for names that nothing has, CommandError for a config with problems or a machine that is too small */
export async function chooseFleets(choice: Choice): Promise<Chosen> {
  const policies = choice.policy === undefined ? null : policiesNamed(choice.policy)
  const chosen = choice.config === undefined ? builtIn(choice, policies) : await own(choice, choice.config, policies)
  const obstacle = descriptorObstacle(chosen.fleets, choice.openFiles)
  if (obstacle !== null) throw failed(obstacle)
  const notes = machineNotes(choice.cores)
  return { ...chosen, fleets: chosen.fleets.map((fleet) => ({ ...fleet, notes: [...fleet.notes, ...notes] })) }
}

function builtIn({ fleet, quick, rate, socket }: Choice, policies: Policy[] | null): Chosen {
  if (socket !== undefined) throw new UsageError('--socket is for the upstreams of a config: give --config as well')
  return { fleets: builtInFleets({ names: fleet ?? null, policies, isQuick: quick, rate: rate ?? null }), isLive: false }
}

async function own(choice: Choice, config: string, policies: Policy[] | null): Promise<Chosen> {
  const { fleet: names, socket, terminal, quick, rate } = choice
  const loaded = await loadConfig(config, { ...terminal.env })
  if (!loaded.ok) throw new CommandError({ code: 'invalid-config', message: renderProblems(loaded.problems).trimEnd(), exit: 1 })
  const all = httpUpstreams(loaded.config)
  if (all.length === 0) throw failed(`${config} has no upstream with servers to which an HTTP listener sends`)
  const unknown = names?.find((name) => !all.some((upstream) => upstream.name === name))
  if (unknown !== undefined)
    throw new UsageError(`${config} sends no HTTP to an upstream "${unknown}": there are ${all.map(({ name }) => name).join(', ')}`)
  const upstreams = all.filter(({ name }) => names?.includes(name) ?? true)
  const profiles = await liveProfiles(
    upstreams.map(({ name }) => name),
    { socket, config, terminal },
  )
  const isLive = upstreams.some(({ name }) => [...(profiles?.get(name)?.servers.values() ?? [])].some((points) => points.length > 0))
  return { fleets: ownFleets(upstreams, { profiles, policies, isQuick: quick, rate: rate ?? null }), isLive }
}

function failed(message: string): CommandError {
  return new CommandError({ code: 'failed', message, exit: 1 })
}
