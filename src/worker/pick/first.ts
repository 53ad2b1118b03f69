import type { Eligible } from './eligible.ts'
import type { Policy } from './picker.ts'

/** The first server of the config until it is full, then the second, and so on: the last ones may sleep. */
export function first(): Policy {
  return new First()
}

class First implements Policy {
  pick(eligible: Eligible): number {
    const size = eligible.group.size
    for (let i = 0; i < size; i++) if (eligible.accepts(i)) return i
    return -1
  }

  adopt(): void {}
}
