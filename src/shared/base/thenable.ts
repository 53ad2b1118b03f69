/** Whether a function of the config returned a promise, or anything that behaves like one. */
export function isThenable<T>(outcome: T | PromiseLike<T>): outcome is PromiseLike<T> {
  return typeof (outcome as { then?: unknown } | null | undefined)?.then === 'function'
}
