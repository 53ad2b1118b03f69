import { addon } from '../native/addon.ts'
import type { Engine } from '../native/contract.ts'
import { CHANNEL_FD, firstListenerFd, type ListeningSockets } from '../shared/ipc/protocol.ts'

/** The listening sockets of one worker: those it was born with and those that were passed to it since. */
export class Sockets {
  readonly #engine: Engine
  /** Descriptor and listener's row by key. */
  readonly #open = new Map<string, { fd: number; slot: number }>()
  #slots = new Set<number>()

  constructor(engine: Engine, inherited: readonly string[], workers: number) {
    this.#engine = engine
    inherited.forEach((key, i) => {
      this.#open.set(key, { fd: firstListenerFd(workers) + i, slot: -1 })
    })
  }

  /** Listens on these, and on no others. `passed`: keys of the descriptors that wait in the channel. Connections live on. */
  apply(sockets: readonly ListeningSockets[], passed: readonly string[]): void {
    if (passed.length > 0) {
      const fds = addon().receiveFds(CHANNEL_FD, passed.length)
      passed.forEach((key, i) => {
        this.#open.set(key, { fd: fds[i] as number, slot: -1 })
      })
    }
    const slots = new Set(sockets.map(({ slot }) => slot))
    for (const slot of slots) if (!this.#slots.has(slot)) this.#engine.reviveListener(slot)
    const wanted = new Set<string>()
    for (const { slot, keys, ports } of sockets) {
      keys.forEach((key, i) => {
        wanted.add(key)
        this.#listen(key, slot, ports[i] ?? 0)
      })
    }
    for (const [key, { fd }] of this.#open) {
      if (wanted.has(key)) continue
      this.#engine.unlisten(fd)
      this.#open.delete(key)
    }
    for (const slot of this.#slots) if (!slots.has(slot)) this.#engine.retireListener(slot, 0)
    this.#slots = slots
  }

  #listen(key: string, slot: number, port: number): void {
    const socket = this.#open.get(key)
    if (socket === undefined) throw new Error(`the socket ${key} was not passed on`)
    if (socket.slot === slot) return
    this.#engine.listen(slot, socket.fd, port)
    socket.slot = slot
  }
}
