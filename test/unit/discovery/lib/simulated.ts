import type { AddressAnswer, Answer, NameKind, Service } from '../../../../src/primary/discovery/answer.ts'
import type { Clock } from '../../../../src/primary/discovery/clock.ts'
import type { Resolve } from '../../../../src/primary/discovery/resolver.ts'

/** Time that passes only when told to. */
export class SimulatedClock implements Clock {
  #now = 0
  #jobs: { at: number; run: () => void }[] = []

  now(): number {
    return this.#now
  }

  after(ms: number, run: () => void): () => void {
    const job = { at: this.#now + ms, run }
    this.#jobs.push(job)
    return () => {
      this.#jobs = this.#jobs.filter((one) => one !== job)
    }
  }

  /** How many things wait for their time. */
  get waiting(): number {
    return this.#jobs.length
  }

  /** Lets time pass, job by job, and what each of them promises come true. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms
    await settled()
    for (;;) {
      const next = this.#jobs.filter((job) => job.at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#jobs = this.#jobs.filter((job) => job !== next)
      this.#now = next.at
      next.run()
      await settled()
    }
    this.#now = end
  }
}

/** Until all promises that can settle without time or input have done so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** `never` does not answer, a text is the code of an error. */
export type Says = Answer | 'never' | 'ENOTFOUND' | 'ENODATA' | 'ETIMEOUT' | 'ESERVFAIL'

/** Names that mean what the test says; those that it does not name are ENOTFOUND. */
export class SimulatedResolve implements Resolve {
  /** By `dns name` and `srv name`. */
  readonly names: Map<string, Says>
  /** Every question: `time kind name`. */
  readonly asked: string[] = []
  isStopped = false
  readonly #clock: Clock

  constructor(clock: Clock, names: Record<string, Says> = {}) {
    this.#clock = clock
    this.names = new Map(Object.entries(names))
  }

  ask(kind: NameKind, name: string): Promise<Answer> {
    this.asked.push(`${this.#clock.now()} ${kind} ${name}`)
    const says = this.names.get(`${kind} ${name}`) ?? 'ENOTFOUND'
    if (says === 'never') return new Promise(() => {})
    return typeof says === 'string' ? Promise.reject(Object.assign(new Error(says), { code: says })) : Promise.resolve(says)
  }

  stop(): void {
    this.isStopped = true
  }
}

export function at(addresses: string[], ttlMs = 10_000, missing: 4 | 6 | null = null): AddressAnswer {
  return { kind: 'dns', addresses, missing, ttlMs }
}

export function services(list: Service[], ttlMs = 10_000): Answer {
  return { kind: 'srv', services: list, ttlMs }
}

export function service(target: string, port: number, more: Partial<Service> = {}): Service {
  return { target, port, priority: 0, weight: 1, at: at(['10.0.0.1']), ...more }
}
