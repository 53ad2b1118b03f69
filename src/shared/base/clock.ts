/** Milliseconds on the machine's monotonic clock, the same in all processes of it. */
export function machineMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}
