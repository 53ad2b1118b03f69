/** What one client, and all together, may cost. */
export interface ControlLimits {
  clients: number
  /** Of one request line. */
  lineBytes: number
  /** From the first byte of a line to its end. */
  lineMs: number
  /** Without a request. */
  idleMs: number
  /** Until the client has read a part of an answer. */
  unreadMs: number
  /** What is still answered when the socket closes. */
  closeMs: number
}

export const controlLimits: ControlLimits = {
  clients: 64,
  lineBytes: 64 * 1024,
  lineMs: 10_000,
  idleMs: 300_000,
  unreadMs: 10_000,
  closeMs: 1_000,
}
