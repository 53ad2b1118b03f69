import type { GossipHub } from './gossip.ts'
import type { ServerTable } from './server-table.ts'

const LOOK_MS = 250

export interface GossipTimersOptions {
  hub: GossipHub
  table: ServerTable
  /** Exchanges and tunnels of a row over all workers. */
  inFlight(slot: number): number
  /** Rows that have no occupant any more. */
  freed(slots: readonly number[]): void
  /** Milliseconds, monotonic: the clock of ServerState. */
  now(): number
}

/** Gives the hub its turns. */
export class GossipTimers {
  readonly #options: GossipTimersOptions
  readonly #timer: NodeJS.Timeout
  #isDue = false

  constructor(options: GossipTimersOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref()
  }

  /** The table changed: all changes of this turn of the event loop go out together after it. */
  soon(): void {
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      this.#options.hub.tick(this.#options.now())
    })
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const { hub, table, inFlight, freed, now } = this.#options
    hub.tick(now())
    const slots = table.settle(hub.confirmedVersion, inFlight)
    if (slots.length > 0) freed(slots)
  }
}
