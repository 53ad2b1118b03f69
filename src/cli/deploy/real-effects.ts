import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { DataOf, RequestOf, VerbName } from '../../shared/control/requests.ts'
import { connectFirst } from '../control-command.ts'
import { NotReachable } from '../control-errors.ts'
import type { AskFor, Effects } from './effects.ts'
import { runShellCommand } from './run-command.ts'

/** Longer than any answer that is not waited for takes. */
const answerMs = 30_000
/** While a new weir takes over, a question may find nobody for a moment. */
const attempts = 5
const pauseMs = 400
const reachMs = 2_000

/** Over the control socket, the shell and the network. */
export interface RealEffects extends Effects {
  /** Of the last answer; null before the first. */
  generation(): number | null
}

/** @param hurry aborted by the second Ctrl-C */
export function realEffects(paths: readonly string[], hurry: AbortSignal): RealEffects {
  let generation: number | null = null
  // Each question on a connection of its own: those of one are answered in turn, and a batch waits for several at once.
  const askOnce = async <V extends VerbName>(verb: V, request: RequestOf<V>, { signal, onProgress }: AskFor): Promise<DataOf<V>> => {
    const client = await connectFirst(paths)
    const withinMs = answerMs + ('timeoutMs' in request ? (request.timeoutMs as number) : 0)
    try {
      const answered = await client.ask(verb, request, { signal, withinMs, ...(onProgress === undefined ? {} : { onProgress }) })
      generation = answered.generation
      return answered.data
    } finally {
      client.close()
    }
  }
  return {
    now: () => performance.now(),
    sleep,
    run: (command) => runShellCommand(command, hurry),
    reach,
    generation: () => generation,
    async ask(verb, request, options) {
      for (let attempt = 1; ; attempt++) {
        options.signal.throwIfAborted()
        try {
          return await askOnce(verb, request, options)
        } catch (error) {
          // Before the first answer it is simply not there. Every question may be asked twice.
          if (!(error instanceof NotReachable) || generation === null || attempt === attempts) throw error
          await sleep(pauseMs, options.signal)
        }
      }
    },
  }
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal })
  } catch {
    throw signal.reason
  }
}

/** Whether a connection is accepted within two seconds. It is closed at once. */
function reach(address: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(placeOf(address))
    const end = (isReached: boolean) => {
      signal.removeEventListener('abort', giveUp)
      socket.destroy()
      resolve(isReached)
    }
    const giveUp = () => end(false)
    signal.addEventListener('abort', giveUp, { once: true })
    socket.setTimeout(reachMs, giveUp)
    socket.once('connect', () => end(true))
    socket.once('error', giveUp)
  })
}

function placeOf(address: string): { path: string } | { host: string; port: number } {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) }
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(colon + 1)) }
}
