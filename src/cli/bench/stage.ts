/** The processes of a fleet: servers, the balancer before them, and who makes the load. */
import { BenchBalancer } from './balancer.ts'
import { Child } from './child.ts'
import type { Fleet } from './fleet.ts'
import type { FromDriver, ToDriver } from './messages.ts'
import { MockFleet } from './mock-fleet.ts'

export type Driver = Child<ToDriver, FromDriver>

export interface Stage {
  readonly fleet: Fleet
  readonly mocks: MockFleet
  readonly balancer: BenchBalancer
  readonly driver: Driver
  /** Returns when none of them is left. */
  end(): Promise<void>
}

const LOADS_MS = 20_000

/** Starts all of them. Rejects with what went wrong, and leaves none behind then. */
export async function startStage(fleet: Fleet, workers: number): Promise<Stage> {
  const mocks = new MockFleet(fleet)
  const driver: Driver = new Child('cli/bench/driver')
  const ends = [() => mocks.end(), () => driver.end()]
  // The load first: then nothing sees the others go away.
  const end = async () => {
    for (const one of ends.toReversed()) await one()
  }
  try {
    await Promise.all([driver.hear('loaded', LOADS_MS), mocks.start()])
    const balancer = await BenchBalancer.start({ fleet, ports: mocks.ports, workers })
    driver.tell({ type: 'guard', pid: balancer.pid })
    ends.splice(1, 0, () => balancer.end())
    return { fleet, mocks, balancer, driver, end }
  } catch (error) {
    await end()
    throw error
  }
}
