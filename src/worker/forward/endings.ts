import { abi } from '../../native/abi.ts'
import type { FailedAttempt, FailureKind } from './retry.ts'

const { termination } = abi

/** The word for an exchange that ended with this failure. */
export function terminationOf({ kind, isReused }: FailedAttempt): number {
  switch (kind) {
    case 'connect':
      return termination.connectRefused
    case 'connectTimeout':
      return termination.connectTimeout
    case 'firstByteTimeout':
      return termination.firstByteTimeout
    case 'invalidResponse':
    case 'headTooLarge':
      return termination.upstreamBadResponse
    case 'tls':
      return termination.tlsFailed
    case 'busy':
      return termination.queueFull
    case 'status':
      return termination.ok
    default:
      return isReused ? termination.staleConnection : termination.upstreamReset
  }
}

/** The status of our own answer when no server is left after this failure. */
export function statusWhenNobodyIsLeft(kind: FailureKind): number {
  if (kind === 'connect') return 503
  return kind === 'firstByteTimeout' || kind === 'connectTimeout' ? 504 : 502
}
