import type { Excluded } from './eligible.ts'
import { Eligible } from './eligible.ts'
import type { BoardView, PickServer, Policy, PolicyName } from './picker.ts'
import { policies } from './policies.ts'
import { ServerGroup } from './server-group.ts'

/** Stands in until the first pick brings the board. */
const NO_BOARD: BoardView = { inFlight: new Int32Array(0), stride: 0, offset: 0 }

/** Servers of one rank with what picks among them. */
class Rank {
  readonly group: ServerGroup
  readonly #policy: Policy
  readonly #eligible: Eligible

  constructor(servers: readonly PickServer[], balance: PolicyName, start: number) {
    this.group = new ServerGroup(servers)
    this.#policy = policies[balance](this.group, start)
    this.#eligible = new Eligible(this.group, NO_BOARD)
  }

  /** Server slot, -1 for none. */
  pick(board: BoardView, now: number, random: number, excluded: Excluded): number {
    const position = this.#policy.pick(this.#eligible.at(board, now, excluded), board, now, random)
    return position < 0 ? -1 : (this.group.slots[position] as number)
  }
}

/**
 * Picks servers of one upstream in one worker. Backup servers are picked only when no primary is eligible: down, full,
 * distrusted and already tried ones are not.
 */
export class UpstreamPicker {
  readonly #primaries: Rank
  readonly #backups: Rank | null
  readonly #places = new Map<number, { group: ServerGroup; position: number }>()

  /** `start`: see PolicyFactory. */
  constructor(balance: PolicyName, servers: readonly PickServer[], start = 0) {
    const backups = servers.filter((server) => server.backup)
    this.#primaries = new Rank(
      servers.filter((server) => !server.backup),
      balance,
      start,
    )
    this.#backups = backups.length === 0 ? null : new Rank(backups, balance, start)
    this.#index(this.#primaries.group)
    if (this.#backups !== null) this.#index(this.#backups.group)
  }

  /**
   * Slot of the server to use, -1 when none is eligible. `now` is on the clock that `distrust` was told; Infinity trusts
   * every server again, for a caller that prefers a doubtful server to none. `random` is at least 0 and below 1.
   */
  pick(board: BoardView, now: number, random: number, excluded: Excluded): number {
    const slot = this.#primaries.pick(board, now, random, excluded)
    if (slot >= 0 || this.#backups === null) return slot
    return this.#backups.pick(board, now, random, excluded)
  }

  /** False while the server is down, drained or in maintenance. Unknown slots are ignored: the news may be older than the config. */
  setUsable(slot: number, isUsable: boolean): void {
    const place = this.#places.get(slot)
    place?.group.setUsable(place.position, isUsable)
  }

  /** May be a fraction; 0 takes no traffic. */
  setWeight(slot: number, weight: number): void {
    const place = this.#places.get(slot)
    place?.group.setWeight(place.position, weight)
  }

  /** Keeps this worker away from a server until a time, because it saw it fail. 0 trusts it again. */
  distrust(slot: number, until: number): void {
    const place = this.#places.get(slot)
    if (place !== undefined) place.group.distrustedUntil[place.position] = until
  }

  #index(group: ServerGroup): void {
    for (let position = 0; position < group.size; position++) this.#places.set(group.slots[position] as number, { group, position })
  }
}
