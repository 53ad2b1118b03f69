/** The processes with the servers of a fleet: those to which something happens have one of their own, the others share one. */
import { Child } from './child.ts'
import type { Fleet, MockServer } from './fleet.ts'
import type { FromMock, MockCount, MockPlan, ToMock } from './messages.ts'

type MockProcess = Child<ToMock, FromMock>

export class MockFleet {
  readonly #fleet: Fleet
  /** By server. */
  readonly ports: Record<string, number> = {}
  #shared: MockProcess | null = null
  /** Of the server of the event. */
  #own: MockProcess | null = null
  #ending: Promise<void> = Promise.resolve()
  /** What a server had counted when it was killed. */
  #lost: Record<string, MockCount> = {}

  constructor(fleet: Fleet) {
    this.#fleet = fleet
  }

  /** Starts what does not run. A server that was killed gets the port that it had. */
  async start(): Promise<void> {
    const [apart, together] = [this.#plans(true), this.#plans(false)]
    this.#shared ??= together.length > 0 ? await this.#startProcess(together) : null
    await this.#ending
    this.#own ??= apart.length > 0 ? await this.#startProcess(apart) : null
  }

  /** A round begins. Returns when all are ready for it, one that stood still included. */
  async reset(seed: number): Promise<void> {
    this.#lost = {}
    await Promise.all(this.#running().map((child) => child.ask({ type: 'reset', seed }, 'counts')))
  }

  emptyCaches(): void {
    for (const child of this.#running()) child.tell({ type: 'empty-caches' })
  }

  /** What a fleet suffers; the moment is up to the caller. */
  suffer(): void {
    const { event } = this.#fleet
    const own = this.#own
    if (own === null || event === null) return
    if (event.kind === 'stall') own.tell({ type: 'stall', ms: event.ms })
    else this.#ending = this.#kill(own)
  }

  /** Of the requests since the reset, by server. */
  async counts(): Promise<Record<string, MockCount>> {
    await this.#ending
    const answers = await Promise.all(this.#running().map((child) => child.ask({ type: 'count' }, 'counts')))
    return Object.assign({}, this.#lost, ...answers.map(({ counts }) => counts)) as Record<string, MockCount>
  }

  async end(): Promise<void> {
    await Promise.all(this.#running().map((child) => child.end()))
    await this.#ending
  }

  async #kill(own: MockProcess): Promise<void> {
    this.#own = null
    const { counts } = await own.ask({ type: 'die' }, 'counts')
    Object.assign(this.#lost, counts)
    await own.gone()
  }

  #plans(isApart: boolean): MockPlan[] {
    const { servers, event } = this.#fleet
    return servers.filter(({ name }) => (event?.server === name) === isApart).map((server) => this.#planOf(server))
  }

  #planOf({ name, atOnce, service, cache }: MockServer): MockPlan {
    return { name, atOnce, service, cache, port: this.ports[name] ?? 0 }
  }

  async #startProcess(servers: MockPlan[]): Promise<MockProcess> {
    const child: MockProcess = new Child('cli/bench/mock-server')
    try {
      Object.assign(this.ports, (await child.ask({ type: 'serve', servers }, 'serving')).ports)
      return child
    } catch (error) {
      await child.end()
      throw error
    }
  }

  #running(): MockProcess[] {
    return [this.#shared, this.#own].filter((child) => child !== null)
  }
}
