import { type LiveServer, type LiveView, windows } from '../../shared/statistics/live.ts'
import { counted, grouped } from '../words.ts'
import { selectedServer, shownServers } from './server-rows.ts'
import { type Command, type Mode, orders, type TopState } from './top-state.ts'

/** What a key asks for beyond a change of the screen. */
export type Effect =
  | { do: 'quit'; exit: number }
  | { do: 'suspend' }
  | { do: 'redraw' }
  | { do: 'ask' }
  | { do: 'command'; command: Command }

export interface Pressed {
  state: TopState
  effect?: Effect
}

const PAGE = 10

/** What a key does; its name is as `keysOf` says. Pure. */
export function pressed(state: TopState, key: string, view: LiveView): Pressed {
  if (key === 'ctrl-c') return { state, effect: { do: 'quit', exit: 130 } }
  if (key === 'ctrl-z') return { state, effect: { do: 'suspend' } }
  if (key === 'ctrl-l') return { state, effect: { do: 'redraw' } }
  switch (state.mode.at) {
    case 'table':
      return inTable({ ...state, message: null }, key, view)
    case 'help':
      return { state: back(state) }
    case 'filter':
      return { state: inFilter(state, state.mode, key) }
    case 'weight':
      return inWeight(state, state.mode, key)
    case 'question':
      return inQuestion(state, state.mode, key)
  }
}

function inTable(state: TopState, key: string, view: LiveView): Pressed {
  switch (key) {
    case 'q':
      return { state, effect: { do: 'quit', exit: 0 } }
    case '?':
    case 'h':
      return { state: { ...state, mode: { at: 'help' } } }
    case '/':
      return { state: { ...state, mode: { at: 'filter', before: state.filter } } }
    case 'escape':
      return { state: { ...state, filter: '' } }
    case 's':
      return { state: sorted(state, 1) }
    case 'S':
      return { state: sorted(state, -1) }
    case 'v':
      return { state: { ...state, isReversed: !state.isReversed } }
    case 't':
      return { state: { ...state, window: windows[(windows.indexOf(state.window) + 1) % windows.length] ?? '10s' }, effect: { do: 'ask' } }
    default:
      return { state: onServer(moved(state, key, view), key, view) }
  }
}

const steps: Readonly<Record<string, number>> = {
  up: -1,
  k: -1,
  down: 1,
  j: 1,
  pageup: -PAGE,
  pagedown: PAGE,
  home: Number.NEGATIVE_INFINITY,
  g: Number.NEGATIVE_INFINITY,
  end: Number.POSITIVE_INFINITY,
  G: Number.POSITIVE_INFINITY,
}

function moved(state: TopState, key: string, view: LiveView): TopState {
  const step = steps[key]
  if (step === undefined) return state
  const ids = shownServers(view, state).map(({ id }) => id)
  const at = Math.max(0, ids.indexOf(state.selected ?? ''))
  return { ...state, selected: ids[Math.max(0, Math.min(ids.length - 1, at + step))] ?? null }
}

const commands: Readonly<Record<string, 'drain' | 'ready' | 'maint' | 'weight'>> = { d: 'drain', r: 'ready', m: 'maint', w: 'weight' }

function onServer(state: TopState, key: string, view: LiveView): TopState {
  const verb = commands[key]
  const server = selectedServer(view, state)
  if (verb === undefined || server === null) return state
  const mode: Mode =
    verb === 'weight'
      ? { at: 'weight', server: server.id, text: '' }
      : { at: 'question', text: question(verb, server), command: { verb, server: server.id } }
  // Rows may change places before the answer: from now on this one is meant.
  return { ...state, selected: server.id, mode }
}

function question(verb: 'drain' | 'ready' | 'maint', { id, inFlight, tunnels }: LiveServer): string {
  const open = tunnels > 0 ? `, ${counted(tunnels, 'tunnel')} among them` : ''
  const finishing = inFlight > 0 ? `; the ${grouped(inFlight)} in flight may finish${open}` : ''
  if (verb === 'drain') return `Drain ${id}? Nothing new goes there${finishing}.`
  if (verb === 'maint') return `Put ${id} into maintenance? Nothing new goes there and its checks stop${finishing}.`
  return `Make ${id} ready? It gets traffic as soon as its checks allow.`
}

function inQuestion(state: TopState, { command }: Mode & { at: 'question' }, key: string): Pressed {
  if (key === 'y' || key === 'Y') return { state: back(state), effect: { do: 'command', command } }
  return ['n', 'N', 'escape', 'q', 'enter'].includes(key)
    ? { state: { ...back(state), message: { text: 'left as it is', isBad: false } } }
    : { state }
}

function inWeight(state: TopState, mode: Mode & { at: 'weight' }, key: string): Pressed {
  if (key === 'escape' || (key === 'enter' && mode.text === '')) return { state: back(state) }
  if (key !== 'enter')
    return {
      state: {
        ...state,
        mode: {
          ...mode,
          text: typed(mode.text, key)
            .replace(/[^\d.%]/g, '')
            .slice(0, 9),
        },
      },
    }
  const { server, text } = mode
  const command: Command = { verb: 'weight', server, weight: text }
  return { state: { ...state, mode: { at: 'question', text: `Set the weight of ${server} to ${text}?`, command } } }
}

function inFilter(state: TopState, mode: Mode & { at: 'filter' }, key: string): TopState {
  if (key === 'enter') return back(state)
  if (key === 'escape') return { ...back(state), filter: mode.before }
  return { ...state, filter: typed(state.filter, key).slice(0, 60) }
}

function typed(text: string, key: string): string {
  if (key === 'backspace') return [...text].slice(0, -1).join('')
  if (key === 'ctrl-u') return ''
  return [...key].length === 1 ? text + key : text
}

function sorted(state: TopState, step: number): TopState {
  const order = orders[(orders.indexOf(state.order) + step + orders.length) % orders.length] ?? 'config'
  return { ...state, order, isReversed: false }
}

function back(state: TopState): TopState {
  return { ...state, mode: { at: 'table' } }
}
