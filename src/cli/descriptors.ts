import { readFileSync } from 'node:fs'

const LEAST = 256

/** The process may open too few files; the message is one sentence for people. */
export class DescriptorError extends Error {}

/** Throws DescriptorError when the limit on open files leaves no room for connections. */
export function requireDescriptors(): void {
  const limit = descriptorLimit()
  if (limit < LEAST)
    throw new DescriptorError(`too few file descriptors (${limit}): weir needs at least ${LEAST}; raise the limit (ulimit -n)`)
}

/** How many files this process may have open. */
export function descriptorLimit(): number {
  const line = readFileSync('/proc/self/limits', 'utf8')
    .split('\n')
    .find((one) => one.startsWith('Max open files'))
  const soft = line?.trim().split(/\s{2,}/)[1]
  return soft === undefined || soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
}
