/** Where a server is in its deploy, as a table of legal moves. Pure. */
import { type Edges, type Machine, machine } from '../../shared/base/machine.ts'

/**
 * Forward: waiting → draining → emptying → running → checking → returning → soaking → done. Back: restoring (nothing was done to it),
 * or withdrawing → clearing → undoing → rechecking → rereturning. The others are ends.
 */
export type Place =
  | 'waiting'
  | 'draining'
  | 'emptying'
  | 'running'
  | 'checking'
  | 'returning'
  | 'soaking'
  | 'restoring'
  | 'withdrawing'
  | 'clearing'
  | 'undoing'
  | 'rechecking'
  | 'rereturning'
  | Ending

/**
 * untouched: its turn did not come. skipped: left out. done: new and watched. unwatched: new and in traffic, but not watched to the
 * end. kept: new and in traffic, well or not, as it could not be taken out. restored: as it was before, nothing was done to it.
 * rolled-back: the rollback command has run, and it is in traffic. left: out of traffic.
 */
export type Ending = 'untouched' | 'skipped' | 'done' | 'unwatched' | 'kept' | 'restored' | 'rolled-back' | 'left'

export const endings: readonly Ending[] = ['untouched', 'skipped', 'done', 'unwatched', 'kept', 'restored', 'rolled-back', 'left']

export const serverEdges: Edges<Place> = {
  waiting: ['draining', 'skipped', 'untouched'],
  draining: ['emptying', 'restoring'],
  emptying: ['running', 'restoring'],
  running: ['checking', 'undoing', 'left'],
  checking: ['returning', 'undoing', 'left'],
  returning: ['soaking', 'unwatched', 'withdrawing', 'left'],
  soaking: ['done', 'unwatched', 'withdrawing'],
  restoring: ['restored', 'left'],
  // From these two only where all are rolled back.
  done: ['withdrawing'],
  unwatched: ['withdrawing'],
  withdrawing: ['clearing', 'kept', 'left'],
  clearing: ['undoing', 'left'],
  undoing: ['rechecking', 'left'],
  rechecking: ['rereturning', 'left'],
  rereturning: ['rolled-back', 'left'],
  untouched: [],
  skipped: [],
  kept: [],
  restored: [],
  'rolled-back': [],
  left: [],
}

export type Version = 'old' | 'new' | 'unknown' | 'rolled-back'

/** Which version it has, by the places that it has been in. */
export function versionAfter(places: readonly Place[]): Version {
  if (places.includes('rechecking')) return places.at(-1) === 'rolled-back' ? 'rolled-back' : 'unknown'
  if (places.includes('undoing')) return 'unknown'
  if (!places.includes('running')) return 'old'
  return places.includes('checking') ? 'new' : 'unknown'
}

/** `log` gets each move. An illegal one is a fault of the program, and throws. */
export function serverMachine(id: string, log: (line: string) => void): Machine<Place> {
  const life = machine(id, serverEdges, 'waiting', log)
  return {
    get at() {
      return life.at
    },
    to(next, why) {
      if (!life.to(next, why)) throw new Error(`${id}: no move from ${life.at} to ${next} (${why})`)
      return true
    },
  }
}

/** What becomes of a server when the deploy stops: because of this server, because of another one, or by Ctrl-C. */
export type Aftermath = 'none' | 'restore' | 'undo' | 'finish' | 'withdraw' | 'leave'

export interface AftermathQuestion {
  at: Place
  /** It is this server that failed. */
  hasFailed: boolean
  canRollBack: boolean
}

/**
 * Nothing was done to it yet: it gets traffic again. Its command ran: undone, or left drained. It takes traffic and is bad: taken out.
 * It was good so far and only the deploy stopped: it stays in.
 */
export function aftermathOf({ at, hasFailed, canRollBack }: AftermathQuestion): Aftermath {
  switch (at) {
    case 'draining':
    case 'emptying':
      return 'restore'
    case 'running':
    case 'checking':
      return canRollBack ? 'undo' : 'leave'
    case 'returning':
    case 'soaking':
      return hasFailed ? 'withdraw' : 'finish'
    default:
      return 'none'
  }
}
