/** Answers to an ACME server that asks whether a name is ours (HTTP-01, RFC 8555 8.3). */

const PREFIX = '/.well-known/acme-challenge/'

/** The key authorizations that are there now; most of the time none. */
export class Challenges {
  /** Looked at for each request; only when it is false is a path compared. */
  isEmpty = true
  #answers: ReadonlyMap<string, string> = new Map()

  /** Replaces all of them. By token. */
  set(tokens: Readonly<Record<string, string>>): void {
    this.#answers = new Map(Object.entries(tokens))
    this.isEmpty = this.#answers.size === 0
  }

  /** The key authorization for a path as it was sent; undefined: the path belongs to the routes. */
  answer(path: string): string | undefined {
    return path.startsWith(PREFIX) ? this.#answers.get(path.slice(PREFIX.length)) : undefined
  }
}
