/** What the checker is told, what it tells, and what it shows. */
import type { AgentConfig, HealthConfig } from '../../shared/config/model.ts'
import type { HealthState } from '../../shared/health-machine.ts'
import type { ResolvedAddress } from '../../shared/ipc/protocol.ts'
import type { AgentOrders } from './agent.ts'
import type { ProbeCode, ProbeTls } from './probe.ts'

/** A server that is checked by its own answers, by its agent, or by both. */
export interface CheckTarget {
  /** `upstream/server`. */
  id: string
  /** Where it is now; empty while its name has no address, which is a failure. */
  addresses: ResolvedAddress[]
  /** Its address as configured: the Host of HTTP checks that name none. */
  authority: string
  health: HealthConfig | null
  agent: AgentConfig | null
  sendProxyProtocol: 'off' | 'v1' | 'v2'
  /** null, or not given: it is asked in plain. */
  tls?: CheckTls | null
}

export interface CheckTls extends ProbeTls {
  /** As configured: a target with another one is checked anew. */
  definition: unknown
}

export interface CheckVerdict {
  health: 'up' | 'down'
  /** Of the result that decided, in a few words. */
  reason: string
  /** On the checker's clock. */
  at: number
}

/** Called when something changed, never inside `update`, `start` or `stop`. */
export interface CheckEvents {
  verdict(id: string, verdict: CheckVerdict): void
  /** The server asks to be drained by its status, or does so no longer. */
  drain(id: string, isDraining: boolean): void
  agent(id: string, orders: AgentOrders): void
}

/** One server, for the status command. Times are on the checker's clock in milliseconds; what did not happen yet is null. */
export interface HealthRow {
  id: string
  state: HealthState
  isChanging: boolean
  isDraining: boolean
  ok: boolean | null
  code: ProbeCode | null
  status: number | null
  reason: string | null
  latencyMs: number | null
  /** Equal results in a row. */
  streak: number
  checkedAt: number | null
  /** null while it is checked. */
  nextAt: number | null
  /** What the agent said last, or why it did not. */
  agent: string | null
}
