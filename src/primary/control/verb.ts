import type { DataOf, RequestOf, VerbName } from '../../shared/control/requests.ts'
import type { Operation } from './operation.ts'

/** Who asks, and how it is kept up to date until it has its answer. */
export interface Caller {
  /** For the audit line: `pid 123, uid 0`. */
  readonly who: string
  /** Aborted when the client is gone, or the socket closes: nobody waits for the answer any more. */
  readonly signal: AbortSignal
  /** A line before the answer. It is left out, and that is answered by false, while the client does not read those before. undefined: no such lines are taken. */
  progress(data: unknown): boolean | undefined
}

/**
 * One verb of the control socket. Its request was checked. It throws a ControlError to say why it did not do it. What it looks at
 * before it decides and the beginning of what it does are in one turn of the event loop, so that two clients cannot decide on the
 * same facts.
 */
export interface Verb<V extends VerbName> {
  run(operation: Operation, request: RequestOf<V>, caller: Caller): DataOf<V> | Promise<DataOf<V>>
}
