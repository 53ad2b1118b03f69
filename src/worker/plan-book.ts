import type { Engine } from '../native/contract.ts'

/** What runs on a plan of the engine. */
interface Planned {
  /** Its id there. */
  readonly plan: number
}

/** Changes of the config that an exchange or a tunnel may outlive and still be sent to another server by the rules it began with. */
const REMEMBERED = 8

/**
 * Which target belongs to which plan, over changes of the config: an attempt that fails long after the change after next must not be
 * judged by another route's rules, so ids are never given twice.
 */
export class PlanBook<T extends Planned, U extends Planned> {
  readonly #targets = new Map<number, T>()
  readonly #tunnelTargets = new Map<number, U>()
  readonly #generations: { targets: readonly T[]; tunnelTargets: readonly U[] }[] = []
  #next = 0

  /** An id that none had before. */
  id(): number {
    return this.#next++
  }

  target(plan: number): T | undefined {
    return this.#targets.get(plan)
  }

  tunnelTarget(plan: number): U | undefined {
    return this.#tunnelTargets.get(plan)
  }

  /** These come into force; those of long ago are forgotten, here and in the engine. */
  add(targets: readonly T[], tunnelTargets: readonly U[], engine: Pick<Engine, 'dropPlan' | 'dropTunnelPlan'>): void {
    for (const target of targets) this.#targets.set(target.plan, target)
    for (const target of tunnelTargets) this.#tunnelTargets.set(target.plan, target)
    this.#generations.push({ targets, tunnelTargets })
    if (this.#generations.length <= REMEMBERED) return
    const oldest = this.#generations.shift()
    for (const { plan } of oldest?.targets ?? []) {
      this.#targets.delete(plan)
      engine.dropPlan(plan)
    }
    for (const { plan } of oldest?.tunnelTargets ?? []) {
      this.#tunnelTargets.delete(plan)
      engine.dropTunnelPlan(plan)
    }
  }
}
