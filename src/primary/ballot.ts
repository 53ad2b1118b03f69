/** All have to agree: settles when the last one does, and fails with the first reason why one does not. */
export class Ballot {
  readonly result: Promise<void>
  readonly #missing: Set<number>
  readonly #generation: number
  readonly #late: NodeJS.Timeout | undefined
  #settle: { resolve(): void; reject(error: Error): void } = { resolve() {}, reject() {} }

  /**
   * `voters` have to agree to this generation, or a later one, within `ms`; without it there is no deadline. With no voters it is settled
   * at once.
   */
  constructor(voters: readonly number[], generation: number, ms?: number) {
    this.#missing = new Set(voters)
    this.#generation = generation
    this.result = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    // Whoever asked looks at it later, and a refusal may come before that.
    this.result.catch(() => {})
    if (ms !== undefined) this.#late = setTimeout(() => this.refuse(`${this.#names()} did not answer within ${ms / 1000} s`), ms)
    this.#look()
  }

  /** What is about an earlier generation was said before this was asked. */
  agree(voter: number, generation: number): void {
    if (generation < this.#generation) return
    this.#missing.delete(voter)
    this.#look()
  }

  refuse(reason: string): void {
    clearTimeout(this.#late)
    this.#settle.reject(new Error(reason))
  }

  #look(): void {
    if (this.#missing.size > 0) return
    clearTimeout(this.#late)
    this.#settle.resolve()
  }

  #names(): string {
    return [...this.#missing].map((column) => `worker ${column + 1}`).join(', ')
  }
}
