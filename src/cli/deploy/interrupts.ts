import { Interrupted } from '../control-errors.ts'
import type { DeploySignals } from './rollout.ts'

/** Signals of the process for a deploy: the first Ctrl-C (or TERM, or the end of the terminal) stops it, the second ends its rollback. */
export function hearInterrupts(): DeploySignals & { dispose(): void } {
  const first = new AbortController()
  const second = new AbortController()
  const heard = () => {
    const controller = first.signal.aborted ? second : first
    controller.abort(new Interrupted('interrupted'))
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, heard)
  return {
    stop: first.signal,
    stopNow: second.signal,
    dispose: () => {
      for (const signal of signals) process.off(signal, heard)
    },
  }
}

/** A reader of our output that goes away (`weir deploy … | head`) must not end us half-way, with servers drained. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', () => undefined)
}
