/** What whoever asks over HTTP may cost. */
export const adminLimits = {
  connections: 64,
  /** Of a request. */
  bodyBytes: 64 * 1024,
  headBytes: 16 * 1024,
  /** Until the head, or the whole request, is there; milliseconds. */
  headMs: 5_000,
  requestMs: 10_000,
  /** Between requests. */
  keepAliveMs: 5_000,
  /** Without a byte either way, while an answer is on its way. */
  stalledMs: 30_000,
  /** Live streams at once. */
  viewers: 32,
  /** Answers to scrapers that differ and are still being read: those of the slowest are broken off. */
  scrapes: 4,
} as const
