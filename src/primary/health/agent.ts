/** The agent check: a line of words, read from a port of the server's machine, that says how the server wants to be treated. */
import { connect } from 'node:net'
import { formatDuration } from '../../shared/base/units.ts'
import type { ResolvedAddress } from '../../shared/ipc/protocol.ts'
import { destinationOf, failureOf, type ProbeResult, runProbe } from './probe.ts'

/** What an agent asks for; what it does not mention stays as it is. */
export interface AgentOrders {
  /** `75%`: of the configured weight, from 0 to 1. */
  weightShare?: number
  /** `ready`, `drain`, `maint`. */
  admin?: 'ready' | 'drain' | 'maint'
  /** `down`, `stopped`, `fail`: true; `up`: false. */
  down?: boolean
  /** `maxconn:N`. */
  maxConnections?: number
}

export interface AgentResult extends ProbeResult {
  /** Present when `ok`. */
  orders?: AgentOrders
}

/** Longest line, its end not counted. */
const MOST_LINE_BYTES = 256

/** Connects and reads one line, which ends with a line feed or with the connection. Never rejects, leaves no socket. */
export async function probeAgent(address: ResolvedAddress, timeoutMs: number, signal: AbortSignal): Promise<AgentResult> {
  let orders: AgentOrders | undefined
  const result = await runProbe(timeoutMs, signal, (end) => {
    const socket = connect(destinationOf(address))
    let text = ''
    const finish = () => {
      const line = text.split('\n', 1)[0]?.trim() ?? ''
      const read = line.length > MOST_LINE_BYTES ? null : parseAgentLine(line)
      if (read === null) return end({ ok: false, code: 'L7RSP', reason: line === '' ? 'the agent said nothing' : 'no valid agent line' })
      orders = read
      end({ ok: true, code: 'L7OK', reason: `agent: ${line}` })
    }
    socket.on('data', (chunk) => {
      text += chunk.subarray(0, MOST_LINE_BYTES + 2).toString('latin1')
      if (text.includes('\n') || text.length > MOST_LINE_BYTES + 1) finish()
    })
    socket.once('end', finish)
    socket.on('error', (error) => end(failureOf(error)))
    return {
      release: () => socket.destroy(),
      late: () => {
        const what = socket.connecting ? 'connection' : 'agent line'
        return { ok: false, code: socket.connecting ? 'L4TOUT' : 'L7TOUT', reason: `no ${what} in ${formatDuration(timeoutMs)}` }
      },
    }
  })
  return orders === undefined ? result : { ...result, orders }
}

/**
 * Reads words separated by spaces, tabs or commas, in any case; what follows a `#` is for people. Later words win. Null when there
 * is no word, or one that has no meaning: half of an order is not obeyed.
 */
export function parseAgentLine(line: string): AgentOrders | null {
  const words = (line.split('#', 1)[0] ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((word) => word !== '')
  const orders: AgentOrders = {}
  for (const word of words) if (!obey(orders, word)) return null
  return words.length === 0 ? null : orders
}

function obey(orders: AgentOrders, word: string): boolean {
  const percent = /^(\d{1,3})%$/.exec(word)?.[1]
  const connections = /^maxconn:(\d{1,9})$/.exec(word)?.[1]
  if (word === 'ready' || word === 'drain' || word === 'maint') orders.admin = word
  else if (word === 'up') orders.down = false
  else if (word === 'down' || word === 'stopped' || word === 'fail') orders.down = true
  else if (percent !== undefined && Number(percent) <= 100) orders.weightShare = Number(percent) / 100
  else if (connections !== undefined) orders.maxConnections = Number(connections)
  else return false
  return true
}
