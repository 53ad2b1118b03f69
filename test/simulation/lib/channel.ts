import type { Chance } from '../../soak/chance.ts'
import type { VirtualClock } from './clock.ts'

/** What becomes of messages. Those of a channel that is not in order overtake each other. */
export interface Weather {
  loss: number
  repeat: number
  leastMs: number
  mostMs: number
  inOrder: boolean
}

export const calm: Weather = { loss: 0, repeat: 0, leastMs: 5, mostMs: 20, inOrder: true }

export function storm(chance: Chance): Weather {
  const [loss, repeat] = [chance.next() * 0.5, chance.next() * 0.4]
  return { loss, repeat, leastMs: 1, mostMs: chance.between(10, 900), inOrder: false }
}

/** One direction between two processes. */
export class Channel<Message> {
  readonly #clock: VirtualClock
  readonly #chance: Chance
  readonly #weather: () => Weather
  readonly #deliver: (message: Message) => void
  #lastMs = 0
  #isOpen = true

  constructor(clock: VirtualClock, chance: Chance, weather: () => Weather, deliver: (message: Message) => void) {
    this.#clock = clock
    this.#chance = chance
    this.#weather = weather
    this.#deliver = deliver
  }

  send(message: Message): void {
    const { loss, repeat } = this.#weather()
    if (this.#chance.happens(loss)) return
    this.sendSurely(message)
    if (this.#chance.happens(repeat)) this.sendSurely(message)
  }

  /** Late at worst. */
  sendSurely(message: Message): void {
    const { leastMs, mostMs, inOrder } = this.#weather()
    const arrivalMs = this.#clock.now + this.#chance.between(leastMs, mostMs)
    const atMs = inOrder ? Math.max(arrivalMs, this.#lastMs) : arrivalMs
    this.#lastMs = atMs
    this.#clock.after(atMs - this.#clock.now, () => {
      if (this.#isOpen) this.#deliver(message)
    })
  }

  /** One end died: what is under way arrives nowhere. */
  close(): void {
    this.#isOpen = false
  }
}
