/** The single steps of a server's deploy. Each waits until its step is over and throws when it came to nothing. */

import { Value } from 'typebox/value'
import { formatDuration } from '../../shared/base/units.ts'
import { type ServerStatus, type UpstreamStatus, WaitData } from '../../shared/control/data.ts'
import { CommandError } from '../control-errors.ts'
import { counted } from '../words.ts'
import { commandEnvironment, factsOf } from './command-template.ts'
import { type CommandEnd, type DeployKit, StepFailed } from './effects.ts'

/** What a `cut` may take to show. */
const cutMs = 5_000
const reachPauseMs = 200

/** The upstream as it is now. @throws CommandError (exit 2) when there is none of this name */
export async function upstreamNow({ options, effects }: DeployKit, signal: AbortSignal): Promise<UpstreamStatus> {
  const { upstreams } = await effects.ask('status', {}, { signal })
  const found = upstreams.find(({ name }) => name === options.upstream)
  if (found !== undefined) return found
  const known = upstreams.map(({ name }) => name).join(', ') || 'none'
  throw new CommandError({ code: 'unknown-name', message: `no upstream named ${options.upstream}; there are: ${known}`, exit: 2 })
}

/** No new exchanges. Sticky users stay with it until it is restarted. */
export async function drain({ id }: ServerStatus, { options, effects }: DeployKit, signal: AbortSignal): Promise<void> {
  await effects.ask('drain', { server: id, ...(options.isForced ? { force: true } : {}) }, { signal })
}

/** Waits until nothing runs on it any more; what is there at the deadline is cut. */
export async function empty(server: ServerStatus, kit: DeployKit, signal: AbortSignal): Promise<void> {
  if (await isDrainedWithin(kit.options.drainTimeoutMs, server, kit, signal)) return
  const { cut } = await kit.effects.ask('cut', { server: server.id }, { signal })
  note(kit, server, `${counted(cut, 'connection')} cut after ${formatDuration(kit.options.drainTimeoutMs)}`)
  if (!(await isDrainedWithin(cutMs, server, kit, signal))) throw new StepFailed('it is not empty, even though its connections were cut')
}

/** Runs a command for a server. @throws StepFailed unless it ends with 0 */
export async function runCommand(server: ServerStatus, text: string, kit: DeployKit, signal: AbortSignal): Promise<void> {
  const { id, upstream, name, address } = server
  kit.tell({ event: 'command', server: id, step: null, text })
  const end = await kit.effects.run({
    text,
    env: commandEnvironment(factsOf(upstream, name, address)),
    timeoutMs: kit.options.commandTimeoutMs,
    signal,
    onLine: (line) => kit.tell({ event: 'output', server: id, step: null, text: line }),
  })
  if (end.kind === 'stopped') throw signal.reason
  if (end.kind !== 'exit' || end.code !== 0) throw new StepFailed(commandFault(end, kit))
}

/** Waits for good checks, counted from now; without active checks, until it accepts connections. */
export async function check(server: ServerStatus, kit: DeployKit, signal: AbortSignal): Promise<void> {
  const { checks, healthTimeoutMs } = kit.options
  if (!server.isChecked) return reachable(server, kit, signal)
  const wait = { server: server.id, condition: 'checked' as const, checks, timeoutMs: healthTimeoutMs }
  if (await isMet(wait, kit, signal)) return
  const why = await lastCheckText(server, kit, signal)
  throw new StepFailed(`not ${counted(checks, 'good check')} in a row within ${formatDuration(healthTimeoutMs)}${why}`)
}

/** Gives it traffic, and waits until it gets some. */
export async function ready(server: ServerStatus, kit: DeployKit, signal: AbortSignal): Promise<void> {
  const { healthTimeoutMs } = kit.options
  await kit.effects.ask('ready', { server: server.id }, { signal })
  if (await isMet({ server: server.id, condition: 'up', timeoutMs: healthTimeoutMs }, kit, signal)) return
  const why = await lastCheckText(server, kit, signal)
  throw new StepFailed(`it did not get usable within ${formatDuration(healthTimeoutMs)}${why}`)
}

/** As the operator had it before: ready, drained or in maint. */
export async function restore({ id, admin }: ServerStatus, { effects }: DeployKit, signal: AbortSignal): Promise<void> {
  if (admin === 'ready') await effects.ask('ready', { server: id }, { signal })
  else await effects.ask(admin, { server: id, force: true }, { signal })
}

export function note(kit: DeployKit, server: ServerStatus | null, text: string): void {
  kit.tell({ event: 'note', server: server?.id ?? null, step: null, text })
}

interface WaitRequest {
  server: string
  condition: 'drained' | 'up' | 'checked'
  checks?: number
  timeoutMs: number
}

function isDrainedWithin(timeoutMs: number, server: ServerStatus, kit: DeployKit, signal: AbortSignal): Promise<boolean> {
  return isMet({ server: server.id, condition: 'drained', timeoutMs }, kit, signal)
}

async function isMet(wait: WaitRequest, kit: DeployKit, signal: AbortSignal): Promise<boolean> {
  let last = ''
  const onProgress = (data: unknown) => {
    const text = progressText(wait, data)
    if (text === last) return
    last = text
    kit.tell({ event: 'wait', server: wait.server, step: null, text })
  }
  try {
    return (await kit.effects.ask('wait', wait, { signal, onProgress })).isMet
  } catch (error) {
    if (error instanceof CommandError && error.code === 'late') return false
    throw error
  }
}

function progressText({ condition, checks }: WaitRequest, data: unknown): string {
  if (condition === 'up' || !Value.Check(WaitData, data)) return `waiting until it is ${condition}`
  const { inFlight, tunnels } = data.remaining
  if (condition === 'drained') return `${inFlight} in flight${tunnels === 0 ? '' : `, ${counted(tunnels, 'tunnel')} among them`}`
  return `${data.goodChecks} of ${counted(checks ?? 1, 'good check')}`
}

async function reachable(server: ServerStatus, kit: DeployKit, signal: AbortSignal): Promise<void> {
  const { effects, options } = kit
  const end = effects.now() + options.healthTimeoutMs
  for (let good = 0; ; ) {
    good = (await effects.reach(server.address, signal)) ? good + 1 : 0
    signal.throwIfAborted()
    if (good >= options.checks) return
    if (effects.now() >= end)
      throw new StepFailed(`nobody accepts connections at ${server.address} within ${formatDuration(options.healthTimeoutMs)}`)
    await effects.sleep(reachPauseMs, signal)
  }
}

async function lastCheckText(server: ServerStatus, kit: DeployKit, signal: AbortSignal): Promise<string> {
  const { servers } = await upstreamNow(kit, signal)
  const last = servers.find(({ id }) => id === server.id)?.lastCheck
  return last === null || last === undefined ? '' : `; the last check: ${last.code} ${last.reason}`.trimEnd()
}

function commandFault(end: CommandEnd, { options }: DeployKit): string {
  switch (end.kind) {
    case 'exit':
      return `the command failed with exit code ${end.code}`
    case 'signal':
      return `the command was ended by ${end.signal}`
    case 'late':
      return `the command did not end within ${formatDuration(options.commandTimeoutMs)} and was killed`
    case 'stopped':
      return 'the command was stopped'
    case 'unstartable':
      return `the command cannot be started: ${end.message}`
  }
}
