import type { LiveServer, LiveUpstream, LiveView } from '../../shared/statistics/live.ts'
import type { Order, TopState } from './top-state.ts'

/** A line of the table: an upstream, or a server. */
export type Row = { upstream: LiveUpstream } | { server: LiveServer }

type Choice = Pick<TopState, 'filter' | 'order' | 'isReversed'>

const troubleFirst = ['down', 'ejected', 'probing', 'unknown', 'warming', 'draining', 'drained', 'maint', 'up']

const weights: Record<Exclude<Order, 'config' | 'name'>, (server: LiveServer) => number> = {
  state: ({ state }) => -troubleFirst.indexOf(state),
  'in flight': ({ inFlight }) => inFlight,
  requests: ({ rates }) => rates.requestsPerSecond,
  errors: ({ rates }) => rates.errorShare,
  p99: ({ latency }) => latency.firstByte?.p99 ?? -1,
  added: ({ latency }) => latency.overhead?.p99 ?? -1,
}

/** Upstreams with their servers below them in the order of the config; in any other order servers only, the most of it first. */
export function serverRows(view: LiveView, choice: Choice): Row[] {
  if (choice.order === 'config') {
    return view.upstreams.flatMap((upstream): Row[] => {
      const servers = upstream.servers.filter((server) => isFound(server, choice.filter))
      const shown = choice.isReversed ? servers.reverse() : servers
      return choice.filter !== '' && shown.length === 0 ? [] : [{ upstream }, ...shown.map((server) => ({ server }))]
    })
  }
  return servers(view, choice).map((server) => ({ server }))
}

/** The servers among the rows, from top to bottom. */
export function shownServers(view: LiveView, choice: Choice): LiveServer[] {
  return serverRows(view, choice).flatMap((row) => ('server' in row ? [row.server] : []))
}

/** The one that keys act on: the selected one where it is shown, else the first. */
export function selectedServer(view: LiveView, state: TopState): LiveServer | null {
  const shown = shownServers(view, state)
  return shown.find(({ id }) => id === state.selected) ?? shown[0] ?? null
}

function servers(view: LiveView, { filter, order, isReversed }: Choice): LiveServer[] {
  const found = view.upstreams.flatMap((upstream) => upstream.servers).filter((server) => isFound(server, filter))
  const sorted = found.sort(comparison(order))
  return isReversed ? sorted.reverse() : sorted
}

function comparison(order: Order): (a: LiveServer, b: LiveServer) => number {
  const byName = (a: LiveServer, b: LiveServer) => a.id.localeCompare(b.id, 'en', { numeric: true })
  if (order === 'config' || order === 'name') return byName
  const weight = weights[order]
  return (a, b) => weight(b) - weight(a) || byName(a, b)
}

function isFound({ id, address, state }: LiveServer, filter: string): boolean {
  const word = filter.toLowerCase()
  return word === '' || [id, address, state].some((text) => text.toLowerCase().includes(word))
}
