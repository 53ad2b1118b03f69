import type { ChangeData } from '../../shared/control/data.ts'
import type { Operation } from './operation.ts'
import { statusOf } from './status.ts'

export interface Change {
  /** The servers that it concerns. */
  ids: string[]
  /** It is not so already. */
  isNeeded: boolean
  /** What is so afterwards, told when the change was made: `api/a is draining: 3 in flight`. */
  what: () => string
  /** The same before it, for a dry run: `api/a would be drained`. */
  plan: string
  act: () => Promise<void>
}

/** Makes a change, unless it is a dry run or so already, and answers how the servers are after it. */
export async function changeData(operation: Operation, isDryRun: boolean, change: Change): Promise<ChangeData> {
  const { ids, isNeeded, plan, act } = change
  if (isDryRun) {
    const what = isNeeded ? plan : `nothing to do: ${change.what()}`
    return { changed: false, dryRun: true, what, servers: statusOf(operation, ids) }
  }
  if (isNeeded) await act()
  return { changed: isNeeded, dryRun: false, what: change.what(), servers: statusOf(operation, ids) }
}
