/** What is remembered of exchanges that wait or have failed somewhere; all others leave nothing behind in TypeScript. */
import { abi } from '../native/abi.ts'
import type { Engine } from '../native/contract.ts'
import type { ExchangeId } from './exchange.ts'
import { normalizePath } from './route/normalize-path.ts'
import type { Patience } from './server-wait.ts'
import type { Snapshot, Target } from './snapshot.ts'

const { lent: at } = abi

/** Of one exchange, between its attempts and while it waits. */
export interface Attempts extends Patience {
  readonly id: ExchangeId
  readonly target: Target
  /** As routed, for hashing. */
  readonly path: string
  /** Slots of the servers that are not to be asked again. */
  failed: number[]
  /** Attempts that failed, also those before it was held. */
  failures: number
  wasReplayed: boolean
  /** Counts in its upstream's budget of retries. */
  isRetrying: boolean
}

export class AttemptBook {
  readonly #engine: Engine
  readonly #lent: Int32Array
  /** By exchange index; an entry of another generation is of an exchange that is over. */
  readonly #attempts = new Map<number, Attempts>()

  constructor(engine: Engine) {
    this.#engine = engine
    this.#lent = engine.lent
  }

  /** Of the exchange in `lent`, begun now where nothing is known. null: its plan is of a config that is long gone. */
  current(snapshot: Snapshot): Attempts | null {
    const known = this.#known()
    if (known !== undefined) return known
    const target = snapshot.target(this.#lent[at.plan] as number)
    if (target === undefined) return null
    const { index, generation } = this.currentId()
    const sent = this.#engine.field(index, generation, 'path') ?? '/'
    return this.remember(target, normalizePath(sent) ?? sent)
  }

  /** Of the exchange in `lent`, on its way to this target. */
  remember(target: Target, path: string): Attempts {
    const known = this.#known()
    if (known !== undefined) return known
    const id = this.currentId()
    const made: Attempts = {
      id,
      target,
      path,
      failed: [],
      failures: 0,
      wasReplayed: false,
      isRetrying: false,
      holdUntilMs: 0,
      queueUntilMs: 0,
    }
    this.#attempts.set(id.index, made)
    return made
  }

  /** The exchange in `lent` has ended: what was remembered of it, for the last time. */
  forget(): Attempts | undefined {
    const known = this.#known()
    if (known !== undefined) this.#attempts.delete(known.id.index)
    return known
  }

  /** Whether its exchange is still there. */
  isCurrent(memory: Attempts): boolean {
    return this.#attempts.get(memory.id.index) === memory
  }

  /** Of the exchange in `lent`. */
  currentId(): ExchangeId {
    return { index: this.#lent[at.index] as number, generation: this.#lent[at.generation] as number }
  }

  #known(): Attempts | undefined {
    const known = this.#attempts.get(this.#lent[at.index] as number)
    return known?.id.generation === this.#lent[at.generation] ? known : undefined
  }
}
