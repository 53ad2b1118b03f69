/** Time, as those who wait for it see it. Simulations bring their own. */
export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number
  /** Runs something once, later; the function that is returned takes that back. Does not keep the process alive. */
  after(ms: number, run: () => void): () => void
}

export const machineClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref()
    return () => clearTimeout(timer)
  },
}
