/** Sentences for people about what changed of a server: state first, then why, then what it was before and for how long. */
import { formatShare } from '../shared/base/units.ts'
import type { ServerRecord, ServerState } from '../shared/ipc/server-state.ts'

export interface News {
  before: ServerRecord
  after: ServerRecord
  /** What the server, a check or an operator said; '' for nothing. */
  why: string
  /** How long the state before lasted, in milliseconds. */
  lastedMs: { health: number; admin: number }
}

const adminWords: Record<ServerState['admin'], string> = { ready: 'ready', drain: 'draining', maint: 'in maintenance' }

/** A line such as `app/b is down: connection refused (was up 3 h)`. null: nothing that people need to read, such as a first good check. */
export function newsLine({ before, after, why, lastedMs }: News): string | null {
  const line = (state: string, was = '') => `${after.server} ${state}${why === '' ? '' : `: ${why}`}${was === '' ? '' : ` (was ${was})`}`
  if (after.health !== before.health) {
    if (before.health === 'unknown') return after.health === 'down' ? line('is down') : null
    return line(`is ${after.health}`, `${before.health} ${roughly(lastedMs.health)}`)
  }
  if (after.admin !== before.admin) return line(`is ${adminWords[after.admin]}`, `${adminWords[before.admin]} ${roughly(lastedMs.admin)}`)
  if (after.isEjected !== before.isEjected || after.isProbing !== before.isProbing) return line(ejectionWords(after))
  if (after.weightShare !== before.weightShare) return line(`has ${formatShare(after.weightShare)} of its weight`)
  return null
}

function ejectionWords({ isEjected, isProbing }: ServerState): string {
  if (isProbing) return 'gets one request at a time'
  return isEjected ? 'is ejected' : 'is back'
}

/** A duration for people, in one unit: `250 ms`, `12 s`, `3 h`, `2 days`. */
export function roughly(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${Math.floor(ms / 1_000)} s`
  if (ms < 7_200_000) return `${Math.floor(ms / 60_000)} min`
  if (ms < 172_800_000) return `${Math.floor(ms / 3_600_000)} h`
  return `${Math.floor(ms / 86_400_000)} days`
}
