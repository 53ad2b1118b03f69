/** What stands in a DueHeap. The heap keeps `place`; nobody else writes it or `dueAt` while it stands there. */
export interface DueEntry {
  dueAt: number
  /** Index in the heap; -1 outside. */
  place: number
}

/** A binary heap by `dueAt` whose entries know their places, so that any of them leaves in O(log n). */
export class DueHeap<Entry extends DueEntry> {
  readonly #entries: Entry[] = []

  get size(): number {
    return this.#entries.length
  }

  get first(): Entry | undefined {
    return this.#entries[0]
  }

  /** `entry` must stand in no heap. */
  add(entry: Entry): void {
    this.#entries.push(entry)
    this.#rise(entry, this.#entries.length - 1)
  }

  /** Does nothing for an entry that is not here. */
  remove(entry: Entry): void {
    const place = entry.place
    if (place < 0) return
    const last = this.#entries.pop() as Entry
    entry.place = -1
    if (last === entry) return
    this.#rise(last, place)
    this.#sink(last)
  }

  #rise(entry: Entry, from: number): void {
    let place = from
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = this.#entries[above] as Entry
      if (parent.dueAt <= entry.dueAt) break
      this.#put(parent, place)
      place = above
    }
    this.#put(entry, place)
  }

  #sink(entry: Entry): void {
    let place = entry.place
    for (let below = this.#smallerChild(place); below >= 0; below = this.#smallerChild(place)) {
      const child = this.#entries[below] as Entry
      if (child.dueAt >= entry.dueAt) break
      this.#put(child, place)
      place = below
    }
    this.#put(entry, place)
  }

  #smallerChild(place: number): number {
    const left = 2 * place + 1
    if (left >= this.#entries.length) return -1
    const right = this.#entries[left + 1]
    return right !== undefined && right.dueAt < (this.#entries[left] as Entry).dueAt ? left + 1 : left
  }

  #put(entry: Entry, place: number): void {
    this.#entries[place] = entry
    entry.place = place
  }
}
