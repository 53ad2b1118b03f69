/**
 * The successor's side of an upgrade: what the weir before this one hands over, and what is said back. The channel is the one that
 * child_process makes; what travels over it is JSON, as the two programs may be of different versions.
 */
import { once } from 'node:events'
import type { HandedSocket } from './inherited-sockets.ts'

/** Set in the environment of a successor, with the version of these messages. */
export const handoverVariable = 'WEIR_HANDOVER'
export const HANDOVER_VERSION = '1'

/** What a successor starts with. */
export interface Handover {
  sockets: HandedSocket[]
  /** Run-time state, as the old primary gave it. */
  state: unknown
  /** Keys of session tickets: secret. An older weir hands over none. */
  ticketKeys?: unknown
}

/** From the old primary. It answers `hello`; that it takes no part any more is told by the end of the channel. */
export type ToSuccessor = { type: 'handover' } & Handover

export type FromSuccessor =
  | { type: 'hello' }
  /** Copied from standard error, for the answer to whoever asked for the upgrade. */
  | { type: 'said'; text: string }
  | { type: 'ready' }
  | { type: 'failed'; message: string }

/** Set in a successor from the hand-over on. */
let stopCopying: (() => void) | undefined

/**
 * What the weir before this one hands over; null when this one was started in the usual way. Throws when the other side is gone, or
 * speaks another version.
 */
export async function receiveHandover(env: Record<string, string | undefined> = process.env): Promise<Handover | null> {
  const version = env[handoverVariable]
  delete env[handoverVariable]
  if (version === undefined) return null
  if (!process.connected) throw new Error(`${handoverVariable} is set, but nobody hands anything over`)
  stopCopying = copyStandardError()
  if (version !== HANDOVER_VERSION) throw new Error(`the running weir hands over in another way (${version}): stop it and start this one`)
  const received = once(process, 'message') as Promise<[ToSuccessor]>
  const gone = once(process, 'disconnect').then(() => Promise.reject(new Error('the running weir went away before it handed over')))
  tell({ type: 'hello' })
  const [{ sockets, state, ticketKeys }] = await Promise.race([received, gone])
  gone.catch(() => undefined)
  return { sockets, state, ticketKeys }
}

/**
 * Says that this one serves, and settles when the old one has let go: what can only belong to one of them, such as the control socket
 * and the pid file, is taken after that. At once when there is no old one.
 */
export async function reportReady(): Promise<void> {
  stopCopying?.()
  if (stopCopying === undefined || !process.connected) return
  const released = once(process, 'disconnect')
  tell({ type: 'ready' })
  await released
}

/**
 * Says why this one cannot serve; the old one goes on. May be said before anything was handed over. Settles when it is sent; nothing
 * happens when there is no old one.
 */
export async function reportFailed(message: string): Promise<void> {
  const isSuccessor = stopCopying !== undefined || process.env[handoverVariable] !== undefined
  if (!isSuccessor || !process.connected) return
  stopCopying?.()
  await new Promise<void>((resolve) => process.send?.({ type: 'failed', message } satisfies FromSuccessor, () => resolve()))
}

function tell(message: FromSuccessor): void {
  // A channel that closes in this moment is noticed as its end.
  process.send?.(message, () => undefined)
}

/** Standard error is the old one's own, so that it outlives it; a copy of what is written before this one is ready goes over the channel. */
function copyStandardError(): () => void {
  const { stderr } = process
  const write = stderr.write
  stderr.write = ((chunk: string | Uint8Array, ...rest: []) => {
    if (process.connected) tell({ type: 'said', text: typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString() })
    return write.call(stderr, chunk, ...rest)
  }) as typeof write
  return () => {
    stderr.write = write
  }
}
