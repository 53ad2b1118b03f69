import type { Engine } from '../native/contract.ts'
import { formatCount } from '../shared/base/units.ts'

const LOOK_MS = 20
const TOLD_TUNNELS = 5

export interface StopOrder {
  /** 0 waits for ever. */
  graceMs: number
  /** Keep-alive connections are asked to close one after the other over this time. */
  spreadMs: number
  /** Name of a server by its row. */
  serverName(slot: number): string
  log(line: string): void
}

/**
 * Takes no new connection, closes idle ones, lets exchanges and tunnels finish, then exits with 0. What is left after the grace is cut,
 * and told.
 */
export function stopGracefully(engine: Engine, order: StopOrder): void {
  const { graceMs, spreadMs, log } = order
  const start = performance.now()
  engine.stopAccepting()
  engine.drain(spreadMs)
  const look = () => {
    const isLate = graceMs > 0 && performance.now() - start >= graceMs
    if (engine.openCount() > 0 && !isLate) return
    if (engine.openCount() > 0) log(cutReport(engine, order))
    engine.close()
    process.exit(0)
  }
  setInterval(look, LOOK_MS)
  look()
}

/** `2 connections and 3 tunnels were still open after 25 s and are cut: 127.0.0.1:5123 to app/b for 40 s, …`. */
function cutReport(engine: Engine, { graceMs, serverName }: StopOrder): string {
  const { clients, arrivals, tunnels } = engine.usage()
  const listed = engine
    .listTunnels(-1, TOLD_TUNNELS)
    .map(({ client, server, ageMs }) => `${client} to ${serverName(server)} for ${Math.round(ageMs / 1000)} s`)
  const more = tunnels > listed.length && listed.length > 0 ? ', …' : ''
  const names = listed.length > 0 ? `: ${listed.join(', ')}${more}` : ''
  return `${formatCount(clients + arrivals, 'connection')} and ${formatCount(tunnels, 'tunnel')} were still open after ${graceMs / 1000} s and are cut${names}`
}
