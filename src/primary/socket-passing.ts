import type { Addon } from '../native/contract.ts'
import type { ListeningSockets } from '../shared/ipc/protocol.ts'

/** What the primary knows of a worker's sockets. */
interface Holder {
  readonly channel: number
  sockets: Set<string>
}

/** What a worker is born with. */
export interface Birth {
  /** Descriptors, from BOARD_FD on. */
  fds: number[]
  /** Keys of the listening sockets among them, which are the last ones. */
  keys: string[]
  /** Our end of its channel. */
  channel: number
  /** To be called after the fork: what is the worker's alone is closed here. */
  forked(): void
}

/** Gives workers the listening sockets that are open: at birth, or over a channel later. */
export class SocketsOfWorkers {
  readonly #addon: Pick<Addon, 'createChannel' | 'sendFds' | 'closeFd'>
  readonly #first: readonly number[]
  readonly #open: () => ReadonlyMap<string, number>

  /** `boardFd` and `wakers` as in protocol.ts. `open`: the listening sockets of now, by key. */
  constructor(
    addon: Pick<Addon, 'createChannel' | 'sendFds' | 'closeFd'>,
    fds: { board: number; wakers: number[] },
    open: () => ReadonlyMap<string, number>,
  ) {
    this.#addon = addon
    this.#first = [fds.board, ...fds.wakers]
    this.#open = open
  }

  birth(): Birth {
    const [ours, theirs] = this.#addon.createChannel()
    const [board, ...wakers] = this.#first
    const open = this.#open()
    return {
      fds: [board as number, theirs, ...wakers, ...open.values()],
      keys: [...open.keys()],
      channel: ours,
      forked: () => this.#addon.closeFd(theirs),
    }
  }

  /** Sends what it lacks of these. Answers the keys, in the order in which they wait in the channel. */
  pass(holder: Holder, sockets: readonly ListeningSockets[]): string[] {
    const open = this.#open()
    const wanted = sockets.flatMap(({ keys }) => keys)
    const missing = wanted.filter((key) => !holder.sockets.has(key))
    if (missing.length > 0)
      this.#addon.sendFds(
        holder.channel,
        missing.map((key) => open.get(key) as number),
      )
    // What it has beside these it closes.
    holder.sockets = new Set(wanted)
    return missing
  }

  buried(holder: Holder): void {
    this.#addon.closeFd(holder.channel)
  }
}
