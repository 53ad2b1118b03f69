/** The agent of one server. */
import type { AgentConfig } from '../../shared/config/model.ts'
import type { HealthPace } from '../../shared/health-machine.ts'
import type { ResolvedAddress } from '../../shared/ipc/protocol.ts'
import { type AgentOrders, type AgentResult, probeAgent } from './agent.ts'
import type { CheckEvents, CheckTarget } from './check-target.ts'

/** Asks the agent and passes on orders that are new. An agent that does not answer changes nothing. */
export class AgentCheck {
  readonly #id: string
  readonly #config: AgentConfig
  readonly #events: CheckEvents
  #addresses: readonly ResolvedAddress[]
  #orders = ''
  #last: AgentResult | null = null

  constructor(target: CheckTarget, config: AgentConfig, events: CheckEvents) {
    this.#id = target.id
    this.#config = config
    this.#events = events
    this.#addresses = target.addresses
  }

  get last(): AgentResult | null {
    return this.#last
  }

  move(addresses: readonly ResolvedAddress[]): void {
    this.#addresses = addresses
  }

  /** Asks once. Never rejects. */
  async run(signal: AbortSignal): Promise<HealthPace> {
    const address = this.#addresses[0]
    if (address === undefined) return 'steady'
    const result = await probeAgent(agentOf(address, this.#config.port), this.#config.timeoutMs, signal)
    if (signal.aborted) return 'steady'
    this.#last = result
    if (result.orders !== undefined) this.#tell(result.orders)
    return 'steady'
  }

  /** Only what is new: an order that was overruled by hand since is not given again with every answer. */
  #tell(orders: AgentOrders): void {
    const text = JSON.stringify(orders)
    if (text === this.#orders) return
    this.#orders = text
    this.#events.agent(this.#id, orders)
  }
}

/** The agent of a server behind a unix socket is on this machine too. */
function agentOf(address: ResolvedAddress, port: number): ResolvedAddress {
  return { ip: 'path' in address ? '127.0.0.1' : address.ip, port }
}
