/** Which server gets a request: the policy of its upstream, a client's cookie, a key to hash, or a function of the configuration. */
import { abi } from '../native/abi.ts'
import type { Engine } from '../native/contract.ts'
import { hashKeyOf } from './hash-key.ts'
import type { CurrentHead } from './lent-head.ts'
import { PickContext } from './pick/pick-context.ts'
import { RequestView } from './request-view.ts'
import type { Snapshot, Target } from './snapshot.ts'

const { lent: at } = abi

export class ServerChoice {
  /** Of the last pick: why there was nobody is asked of it. */
  readonly context: PickContext
  readonly #engine: Engine
  readonly #lent: Int32Array
  readonly #head: CurrentHead
  readonly #report: (error: unknown) => void

  constructor(engine: Engine, head: CurrentHead, { board, latencies }: Snapshot, report: (error: unknown) => void) {
    this.#engine = engine
    this.#lent = engine.lent
    this.#head = head
    this.#report = report
    this.context = new PickContext(board, latencies, Math.random)
  }

  /** Slot of the server for the request in `lent`, -1 for none. The client is bound to it where the upstream is sticky. */
  pick(target: Target, path: string, excluded: readonly number[]): number {
    const { upstream } = target
    const { config, picker, sticky } = upstream
    const context = this.context
    context.now = this.#lent[at.nowMs] as number
    context.excluded = excluded
    if (upstream.load(context.now) >= config.limits.inFlight) return -1
    if (config.hash !== null) this.#fillKey(target, path)
    if (sticky === null) return picker.pick(context)
    const bound = sticky.slotOf(this.#head.header('cookie'))
    if (bound >= 0 && picker.pickNamed(bound, context)) return bound
    const slot = picker.pick(context)
    if (slot >= 0) this.#bind(sticky.setCookie(slot))
    return slot
  }

  /** What the `pick` function of the route says; -1 when there is none, it leaves that to the policy, or it fails. */
  ask(target: Target, path: string): number {
    const choose = target.route.config.pick
    if (choose === undefined) return -1
    const { upstream } = target
    const candidates = upstream.candidates()
    try {
      const chosen = choose(this.#view(path), candidates)
      return chosen === undefined ? -1 : (upstream.slots[candidates.findIndex((one) => one.name === chosen.name)] ?? -1)
    } catch (error) {
      this.#report(error)
      return -1
    }
  }

  /** After a pick that found nobody, and nowhere to wait: of `abi.termination`. */
  whyNobody({ upstream }: Target): number {
    const isFull = upstream.load(this.context.now) >= upstream.config.limits.inFlight || upstream.picker.why(this.context) === 'full'
    return isFull ? abi.termination.queueFull : abi.termination.noServer
  }

  #bind(cookie: string): void {
    this.#engine.setResponseHeader(this.#lent[at.index] as number, this.#lent[at.generation] as number, 'Set-Cookie', cookie)
  }

  #fillKey(target: Target, path: string): void {
    const key = target.upstream.config.hash?.key
    this.context.clientIp = key?.from === 'client-ip' ? this.#head.clientIp : ''
    this.context.key = ''
    if (key === undefined || key.from === 'client-ip') return
    if (key.from !== 'function') {
      this.context.key = hashKeyOf(key, this.#head, path)
      return
    }
    try {
      this.context.key = String(key.function(this.#view(path)))
    } catch (error) {
      this.#report(error)
    }
  }

  #view(path: string): RequestView {
    const id = { index: this.#lent[at.index] as number, generation: this.#lent[at.generation] as number }
    return new RequestView(this.#engine, id, this.#head.host, path)
  }
}
