/** What is done when a deploy stops: every server ends in traffic, or is named with what brings it back. */
import { Interrupted } from '../control-errors.ts'
import { capacityBeside, isUsable } from './capacity.ts'
import type { DeployKit } from './effects.ts'
import { note, upstreamNow } from './server-actions.ts'
import type { ServerDeploy } from './server-deploy.ts'
import { aftermathOf } from './server-life.ts'

const pauseMs = 250

export interface Aftermath {
  servers: readonly ServerDeploy[]
  cause: unknown
  kit: DeployKit
  /** Ends rollbacks. */
  signal: AbortSignal
}

/** Brings every server to an end. Never throws: what fails is noted at the server. */
export async function aftermath(task: Aftermath): Promise<void> {
  const { servers, kit, signal } = task
  note(kit, null, stopText(task))
  // First those that take a moment, so that they serve while others are rolled back.
  for (const server of servers) await settled(server, () => quickEnd(server, task))
  for (const server of servers) await settled(server, () => slowEnd(server, task))
  if (kit.options.rollback === null || kit.options.rollsBack !== 'all') return
  for (const server of [...servers].reverse()) {
    if (server.at !== 'done' && server.at !== 'unwatched') continue
    if (signal.aborted || !(await settled(server, () => rollBack(server, task)))) return
  }
}

function fateOf(server: ServerDeploy, { kit }: Aftermath) {
  return aftermathOf({ at: server.at, hasFailed: server.failure !== null, canRollBack: kit.options.rollback !== null })
}

async function quickEnd(server: ServerDeploy, task: Aftermath): Promise<void> {
  const { kit } = task
  // Not ended by Ctrl-C: it is one question, and leaves a good server out of traffic if it is not asked.
  const signal = new AbortController().signal
  switch (fateOf(server, task)) {
    case 'restore':
      return server.restoreOld(`old, ${reasonOf(server, 'the deploy stopped')}`, signal)
    case 'leave':
      return server.end('left', `${reasonOf(server, `the deploy stopped ${whileText(server)}`)}; ${wayBack(server)}`)
    case 'finish':
      if (server.at === 'returning') await kit.effects.ask('ready', { server: server.id }, { signal })
      return server.end('unwatched', 'new, but not watched to the end as the deploy stopped')
    default:
      if (server.at === 'waiting') server.end('untouched', '')
  }
}

async function slowEnd(server: ServerDeploy, task: Aftermath): Promise<void> {
  const { signal } = task
  switch (fateOf(server, task)) {
    case 'undo':
      return server.undo(reasonOf(server, 'the deploy stopped'), signal)
    case 'withdraw':
      return withdrawBad(server, task)
    default:
  }
}

async function withdrawBad(server: ServerDeploy, { kit, signal }: Aftermath): Promise<void> {
  const why = reasonOf(server, '')
  server.to('withdrawing', 'taken out of traffic again')
  if (!(await canBeSpared(server, kit, signal)))
    return server.end('kept', `${why}; it still gets traffic, as the others are too few: look at it, or add servers`)
  await server.withdraw(signal)
  if (kit.options.rollback === null) server.end('left', `${why}; ${wayBack(server)}`)
  else await server.undo(why, signal)
}

/** Of a server that is new and well. */
async function rollBack(server: ServerDeploy, { kit, signal }: Aftermath): Promise<void> {
  const end = kit.effects.now() + kit.options.healthTimeoutMs
  server.to('withdrawing', 'to be rolled back')
  while (!(await canBeSpared(server, kit, signal))) {
    if (kit.effects.now() >= end) return server.end('kept', 'new: it was not rolled back, as the others are too few')
    await kit.effects.sleep(pauseMs, signal)
  }
  await server.withdraw(signal)
  await server.undo('', signal)
}

/** Without it the floor holds, or it is of no use as it is. */
async function canBeSpared({ id }: ServerDeploy, kit: DeployKit, signal: AbortSignal): Promise<boolean> {
  const { isForced, floor } = kit.options
  const upstream = await upstreamNow(kit, signal)
  const now = upstream.servers.find((server) => server.id === id)
  if (isForced || now === undefined || !isUsable(now)) return true
  return capacityBeside(upstream, { without: new Set([id]), floor }).at !== 'below'
}

/** Whether it came to a good end. What goes wrong leaves the server where it is, with a note. */
async function settled(server: ServerDeploy, act: () => Promise<void> | void): Promise<boolean> {
  try {
    await act()
    return server.at !== 'kept'
  } catch (error) {
    const what = error instanceof Interrupted ? 'interrupted again' : (error as Error).message
    // Not drained, as far as anybody knows.
    if (server.at === 'withdrawing') server.end('kept', `new, and taking it out of traffic failed: ${what}`)
    else server.end('left', `${reasonOf(server, 'the deploy stopped')}; then ${placeText(server)} failed: ${what}; ${wayBack(server)}`)
    return false
  }
}

function placeText({ at }: ServerDeploy): string {
  return at === 'restoring' || at === 'returning' ? 'giving it traffic again' : `its rollback (${at})`
}

function whileText({ at }: ServerDeploy): string {
  return at === 'running' ? 'while its command ran' : 'before its checks were good'
}

function reasonOf({ failure }: ServerDeploy, otherwise: string): string {
  return failure === null ? otherwise : (failure as Error).message
}

function wayBack({ id }: ServerDeploy): string {
  return `it gets no traffic until you say: weir ready ${id}`
}

function stopText({ cause, kit: { options } }: Aftermath): string {
  const text = `stopped: ${(cause as Error).message}`
  return options.rollback === null ? text : `${text}; rolling back (Ctrl-C leaves it as it is)`
}
