/** How a run is measured. */
export interface Settings {
  rounds: number
  /** Of each policy in a round, after the warm-up. */
  seconds: number
  warmUpSeconds: number
  isQuick: boolean
  seed: number
  /** Of the balancer. */
  workers: number
  /** Fleets at the same time. Each takes a part of a core: servers, clients and the balancer together. */
  lanes: number
}

/**
 * What holds without options: planned for less than 10 minutes of the built-in fleets on two cores, with `--quick` for less than 90 seconds. Clients
 * arrive within the first second, so the warm-up is never shorter.
 */
export function settingsOf({ isQuick, cores, ...given }: GivenSettings): Settings {
  const usual = isQuick ? { rounds: 2, seconds: 1, lanes: 3 } : { rounds: 3, seconds: 4, lanes: 2 }
  return {
    rounds: given.rounds ?? usual.rounds,
    seconds: given.seconds ?? usual.seconds,
    warmUpSeconds: 1,
    isQuick,
    seed: given.seed ?? 1,
    workers: Math.max(1, Math.min(2, cores)),
    lanes: cores === 1 ? 1 : usual.lanes,
  }
}

export interface GivenSettings {
  isQuick: boolean
  cores: number
  rounds: number | undefined
  seconds: number | undefined
  seed: number | undefined
}
