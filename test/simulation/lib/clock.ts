interface Event {
  atMs: number
  /** Events of one time run in the order in which they were asked for. */
  order: number
  run(): void
}

/** Time that passes only when events do. */
export class VirtualClock {
  /** Not 0, which some fields use for "never". */
  now = 1_000
  readonly #heap: Event[] = []
  #asked = 0

  after(ms: number, run: () => void): void {
    const heap = this.#heap
    const event = { atMs: this.now + ms, order: this.#asked++, run }
    let at = heap.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isEarlier(event, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = event
  }

  /** Runs all events of the next `ms` milliseconds, also those that they ask for. */
  pass(ms: number): void {
    const until = this.now + ms
    while (this.#heap.length > 0 && this.#heap[0]!.atMs <= until) {
      const event = this.#takeFirst()
      this.now = event.atMs
      event.run()
    }
    this.now = until
  }

  #takeFirst(): Event {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let at = 0
    for (let child = 1; child < heap.length; child = at * 2 + 1) {
      if (child + 1 < heap.length && isEarlier(heap[child + 1]!, heap[child]!)) child++
      if (!isEarlier(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return first
  }
}

function isEarlier(one: Event, other: Event): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order)
}
