import type { RowName } from './messages.ts'

/** What the log thread was told of the rows of the board. A name stays until its row has another one: records of it may still be there. */
export class RowNames {
  readonly #told = new Map<string, RowName>()

  /** Those that are new, or other than before. */
  changes(names: readonly RowName[]): RowName[] {
    const fresh = names.filter((one) => this.#told.get(keyOf(one))?.name !== one.name)
    for (const one of fresh) this.#told.set(keyOf(one), one)
    return fresh
  }

  /** For a thread that knows nothing. */
  all(): RowName[] {
    return [...this.#told.values()]
  }
}

function keyOf({ kind, row }: RowName): string {
  return `${kind} ${row}`
}
