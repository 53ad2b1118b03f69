import { Value } from 'typebox/value'
import { WaitData } from '../shared/control/data.ts'
import type { RequestOf } from '../shared/control/requests.ts'
import type { Answered } from './control-client.ts'
import type { ControlSession } from './control-command.ts'
import { CommandError } from './control-errors.ts'
import { LiveLine } from './live-line.ts'
import { counted, span } from './words.ts'

export type Waited = { isMet: true; answered: Answered<'wait'> } | { isMet: false; late: CommandError }

/**
 * Waits for a condition of a server and shows how it goes, which `heard` gets as well.
 * @throws CommandError where it cannot come true; Interrupted
 */
export async function waitFor(session: ControlSession, request: RequestOf<'wait'>, heard?: (data: WaitData) => void): Promise<Waited> {
  const line = new LiveLine(session.terminal, { isSilent: session.isJson })
  const onProgress = (data: unknown) => {
    if (!Value.Check(WaitData, data)) return
    heard?.(data)
    line.show(`waiting for ${data.server}: ${progressText(data)}`, `${span(data.waitedMs)} of ${span(request.timeoutMs)}`)
  }
  try {
    const answered = await session.ask('wait', request, { onProgress })
    return answered.data.isMet ? { isMet: true, answered } : { isMet: false, late: lateAnswer(answered) }
  } catch (error) {
    if (error instanceof CommandError && error.code === 'late') return { isMet: false, late: error }
    throw error
  } finally {
    line.clear()
  }
}

/** What is still missing. */
function progressText({ condition, remaining, goodChecks }: WaitData): string {
  if (condition === 'drained') return remainingText(remaining)
  return condition === 'up' ? 'not up yet' : `${counted(goodChecks, 'good check')} in a row`
}

/** `3 in flight`, `3 in flight, 1 of them a tunnel`. */
function remainingText({ inFlight, tunnels }: WaitData['remaining']): string {
  if (tunnels === 0) return `${inFlight} in flight`
  if (tunnels === inFlight) return counted(tunnels, 'tunnel')
  return `${inFlight} in flight, ${tunnels} of them ${tunnels === 1 ? 'a tunnel' : 'tunnels'}`
}

function lateAnswer({ data, line }: Answered<'wait'>): CommandError {
  const message = `${data.server} is not ${data.condition} after ${span(data.waitedMs)}: ${progressText(data)}`
  return new CommandError({ code: 'late', message, exit: 4, line })
}
