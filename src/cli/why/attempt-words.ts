/** Why an attempt came to nothing, in words; names of `abi.failure` in snake case. */
const words: Record<string, string> = {
  connect: 'no connection',
  connect_timeout: 'no connection in time',
  reset: 'it broke the connection off',
  closed: 'it closed the connection without an answer',
  first_byte_timeout: 'no answer in time',
  invalid_response: 'its answer was no valid HTTP',
  busy: 'it was at its limit of connections',
  head_too_large: 'the head of its answer was too large',
  status: 'its status is one that is tried again',
  tls: 'the TLS handshake failed',
}

const errors: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'timed out',
  EPIPE: 'connection closed',
  ENOENT: 'no such socket',
  EACCES: 'not allowed',
}

/** `no connection: connection refused`. */
export function attemptWords({ reason, error, status }: { reason: string; error?: string; status?: number }): string {
  if (status !== undefined) return `it answered ${status}, which is tried again`
  const what = words[reason] ?? reason.replaceAll('_', ' ')
  return error === undefined ? what : `${what}: ${errors[error] ?? error}`
}
