import type { WindowName } from '../../shared/statistics/live.ts'

/** What a server may be asked to become, as the control socket takes it. */
export interface Command {
  verb: 'drain' | 'ready' | 'maint' | 'weight'
  server: string
  weight?: string
  strict?: true
  force?: true
}

/** What the keys mean at the moment. */
export type Mode =
  | { at: 'table' }
  | { at: 'help' }
  | { at: 'filter'; before: string }
  | { at: 'weight'; server: string; text: string }
  /** Yes or no in the last line. */
  | { at: 'question'; text: string; command: Command }

/** By what the servers are in order; `config` is upstream by upstream, as configured. */
export const orders = ['config', 'name', 'state', 'in flight', 'requests', 'errors', 'p99', 'added'] as const
export type Order = (typeof orders)[number]

/** What whoever looks at the screen has chosen, beside what weir says. */
export interface TopState {
  window: WindowName
  /** `upstream/server`; null: the first. */
  selected: string | null
  order: Order
  isReversed: boolean
  filter: string
  mode: Mode
  /** How the last command ended. */
  message: { text: string; isBad: boolean } | null
  /** Why there are no news. */
  problem: string | null
}

/** How it begins. */
export function firstState(window: WindowName): TopState {
  return { window, selected: null, order: 'config', isReversed: false, filter: '', mode: { at: 'table' }, message: null, problem: null }
}
