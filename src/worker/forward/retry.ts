import type { RetryReason } from '../../shared/config/model.ts'

/** Why an attempt failed, as the engine reports it. */
export type FailureKind =
  | 'connect'
  | 'connectTimeout'
  | 'reset'
  | 'closed'
  | 'firstByteTimeout'
  | 'invalidResponse'
  | 'busy'
  | 'headTooLarge'
  | 'status'
  | 'tls'

export interface FailedAttempt {
  kind: FailureKind
  /** The kernel says that no byte of the request reached the server. */
  isUnsent: boolean
  /** It ran on a pooled connection. */
  isReused: boolean
  isIdempotent: boolean
  /** Every body byte taken from the client so far is kept. */
  isReplayable: boolean
  /** This exchange was replayed on a fresh connection before. */
  wasReplayed: boolean
  /** Attempts that failed on other grounds, with this one. */
  failures: number
}

/**
 * `again`: the same server on a fresh connection. `other`: another server. `answer`: give up with this status. `pass`: the response
 * goes to the client as it is.
 */
export type AfterFailure = { do: 'again' } | { do: 'other' } | { do: 'pass' } | { do: 'answer'; status: 502 | 503 | 504 }

/**
 * May this failure be repaired without the client seeing it? A request may be sent again when no byte of it reached a server,
 * or when repeating it does no harm (RFC 9110 9.2.2).
 */
export function afterFailure(failed: FailedAttempt, retry: { attempts: number; on: readonly RetryReason[] }): AfterFailure {
  const answer = { do: 'answer', status: statusOf(failed.kind) } as const
  if (failed.kind === 'busy') return { do: 'other' }
  if (failed.kind === 'status') return failed.isIdempotent && failed.failures <= retry.attempts ? { do: 'other' } : { do: 'pass' }
  if (failed.kind === 'invalidResponse' || failed.kind === 'headTooLarge' || !failed.isReplayable) return answer
  const mayRepeat = failed.isUnsent || failed.isIdempotent
  const isStale = failed.isReused && (failed.kind === 'closed' || failed.kind === 'reset')
  if (isStale && !failed.wasReplayed && mayRepeat) return { do: 'again' }
  if (failed.failures > retry.attempts || !isListed(failed, retry.on)) return answer
  return { do: 'other' }
}

/** May a connection, of which nothing was sent yet, try another server? `failures` counts servers that could not be reached. */
export function mayConnectAgain(kind: FailureKind, failures: number, retry: { attempts: number; on: readonly RetryReason[] }): boolean {
  return kind === 'busy' || (failures <= retry.attempts && retry.on.includes('connect'))
}

function isListed(failed: FailedAttempt, on: readonly RetryReason[]): boolean {
  switch (failed.kind) {
    case 'connect':
    case 'connectTimeout':
    case 'tls':
      return on.includes('connect')
    case 'firstByteTimeout':
      return on.includes('timeout') && failed.isIdempotent
    default:
      return (on.includes('unsent') && failed.isUnsent) || (on.includes('reset') && failed.isIdempotent)
  }
}

function statusOf(kind: FailureKind): 502 | 503 | 504 {
  switch (kind) {
    case 'connect':
    case 'busy':
      return 503
    case 'connectTimeout':
    case 'firstByteTimeout':
      return 504
    default:
      return 502
  }
}
