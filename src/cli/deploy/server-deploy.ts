import type { Machine } from '../../shared/base/machine.ts'
import type { ServerStatus } from '../../shared/control/data.ts'
import type { DeployedServer } from './data.ts'
import type { DeployKit } from './effects.ts'
import { commandsFor } from './plan.ts'
import { check, drain, empty, ready, restore, runCommand } from './server-actions.ts'
import { type Ending, endings, type Place, serverMachine, versionAfter } from './server-life.ts'

/** One server on its way through a deploy. */
export class ServerDeploy {
  readonly id: string
  /** As it was when its turn came. */
  server: ServerStatus
  /** Why it came to what it came to, and what to do. */
  note = ''
  /** What went wrong with this very server. */
  failure: unknown = null
  readonly #kit: DeployKit
  readonly #life: Machine<Place>
  readonly #places: { place: Place; since: number }[]

  constructor(server: ServerStatus, kit: DeployKit) {
    this.id = server.id
    this.server = server
    this.#kit = kit
    this.#places = [{ place: 'waiting', since: kit.effects.now() }]
    this.#life = serverMachine(server.id, () => undefined)
  }

  get at(): Place {
    return this.#life.at
  }

  get version(): DeployedServer['version'] {
    return versionAfter(this.#places.map(({ place }) => place))
  }

  /** Goes on to the next place, and tells. */
  to(next: Place, text: string): void {
    this.#life.to(next, text)
    this.#places.push({ place: next, since: this.#kit.effects.now() })
    this.#kit.tell({ event: 'step', server: this.id, step: next, text })
  }

  /** Comes to its end. */
  end(ending: Ending, note: string): void {
    this.note = note
    this.to(ending, note === '' ? ending : note)
  }

  /** From the old version in traffic to the new one in traffic. @throws where it failed; it stays in that place */
  async renew(signal: AbortSignal): Promise<void> {
    const { server } = this
    // Filled in again, as its address may have changed since the beginning.
    const { deploy } = commandsFor(server, this.#kit.options)
    this.to('draining', 'draining')
    if (server.admin !== 'drain') await drain(server, this.#kit, signal)
    this.to('emptying', 'waiting until it is empty')
    await empty(server, this.#kit, signal)
    signal.throwIfAborted()
    this.to('running', 'running the command')
    await runCommand(server, deploy, this.#kit, signal)
    this.to('checking', 'waiting for good checks')
    await check(server, this.#kit, signal)
    this.to('returning', 'back in traffic')
    await ready(server, this.#kit, signal)
  }

  /** Nothing was done to it: back to what it was. @throws CommandError, NotReachable */
  async restoreOld(why: string, signal: AbortSignal): Promise<void> {
    this.to('restoring', 'nothing was done to it: back to what it was')
    await restore(this.server, this.#kit, signal)
    this.end('restored', why)
  }

  /** Out of traffic: drained, and empty where something else is to run on it. */
  async withdraw(signal: AbortSignal): Promise<void> {
    if (this.at !== 'withdrawing') this.to('withdrawing', 'taken out of traffic again')
    await drain(this.server, this.#kit, signal)
    if (this.#kit.options.rollback === null) return
    this.to('clearing', 'waiting until it is empty')
    await empty(this.server, this.#kit, signal)
  }

  /** Runs the rollback command on a server without traffic, and gives it traffic again. @throws where it failed */
  async undo(why: string, signal: AbortSignal): Promise<void> {
    const { rollback } = commandsFor(this.server, this.#kit.options)
    this.to('undoing', 'running the rollback command')
    await runCommand(this.server, rollback ?? '', this.#kit, signal)
    this.to('rechecking', 'waiting for good checks')
    await check(this.server, this.#kit, signal)
    this.to('rereturning', 'back in traffic')
    await ready(this.server, this.#kit, signal)
    this.end('rolled-back', why)
  }

  /** @param state as `weir status` says now */
  report(state: string | null): DeployedServer {
    const { id, version, note, at, server } = this
    const steps = this.#places
      .map(({ place, since }, i) => ({ step: place, tookMs: Math.round((this.#places[i + 1]?.since ?? since) - since) }))
      .filter(({ step }) => step !== 'waiting' && !endings.includes(step as Ending))
    const command = commandsFor(server, this.#kit.options).deploy
    return { server: id, address: server.address, outcome: at as Ending, version, state, note, command, steps }
  }
}
