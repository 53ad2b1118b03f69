import { ControlError } from '../../shared/control/requests.ts'
import type { Operation } from './operation.ts'

/** Servers that come or go by a command which is not through yet: such a change waits for its turn, unlike the others. */
const coming = new WeakMap<Operation, Map<string, 'added' | 'removed'>>()

/** Throws ControlError `failed` when another command adds or removes the same server at this moment. */
export async function during(operation: Operation, server: string, what: 'added' | 'removed', act: () => Promise<void>): Promise<void> {
  const others = coming.get(operation) ?? new Map<string, 'added' | 'removed'>()
  coming.set(operation, others)
  const other = others.get(server)
  if (other !== undefined) throw new ControlError('failed', `${server} is being ${other} by another command at this moment`)
  others.set(server, what)
  try {
    await act()
  } finally {
    others.delete(server)
  }
}

/** It serves until it is its turn to go, and is none to rely on. */
export function isGoing(operation: Operation, server: string): boolean {
  return coming.get(operation)?.get(server) === 'removed'
}
