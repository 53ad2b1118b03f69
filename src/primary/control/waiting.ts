/** One wait for a fact about a server: it is looked at again and again, and told how it goes. */
import { machineMs } from '../../shared/base/clock.ts'
import { formatCount, formatDuration } from '../../shared/base/units.ts'
import type { Remaining, WaitData } from '../../shared/control/data.ts'
import { ControlError, type RequestOf } from '../../shared/control/requests.ts'
import { isUsable, type ServerRecord } from '../../shared/ipc/server-state.ts'
import { GoodChecks } from './good-checks.ts'
import type { Operation } from './operation.ts'
import type { Caller } from './verb.ts'

const LOOK_MS = 50
const TELL_MS = 1_000
/** Tunnels among those in flight are counted by the workers, which costs them something. */
const MOST_TUNNELS = 10_000

type Request = RequestOf<'wait'>

export class Waiting {
  readonly #operation: Operation
  readonly #request: Request
  readonly #caller: Caller
  readonly #beganMs = machineMs()
  readonly #good: GoodChecks
  /** Stays the same when the server is removed: what runs on it finishes there. */
  readonly #slot: number
  #tunnels = 0
  #tunnelsAskedMs = Number.NEGATIVE_INFINITY
  #told = ''
  #toldMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor(operation: Operation, request: Request, slot: number, caller: Caller) {
    this.#operation = operation
    this.#request = request
    this.#slot = slot
    this.#caller = caller
    this.#good = new GoodChecks(operation.fleet.checker.reportOf(request.server))
  }

  /** Settles when the condition is true. Rejects with ControlError: `late`, or `failed` when it cannot come true any more. */
  end(): Promise<WaitData> {
    const { signal } = this.#caller
    return new Promise<WaitData>((resolve, reject) => {
      const look = () => {
        try {
          if (this.#look()) resolve(this.#data(true))
        } catch (error) {
          reject(error)
        }
      }
      signal.addEventListener('abort', look, { once: true })
      this.#timer = setInterval(look, LOOK_MS)
      look()
    }).finally(() => clearInterval(this.#timer))
  }

  /** Whether it is true. Throws ControlError when the time is over, or when it will never be true. */
  #look(): boolean {
    const { server, timeoutMs } = this.#request
    this.#caller.signal.throwIfAborted()
    this.#good.look(this.#operation.fleet.checker.reportOf(server))
    if (this.#isMet()) return true
    if (machineMs() - this.#beganMs >= timeoutMs) throw new ControlError('late', this.#lateWords())
    this.#countTunnels()
    this.#tell()
    return false
  }

  #isMet(): boolean {
    const { condition, checks = 1 } = this.#request
    if (condition === 'drained') return this.#inFlight() === 0
    const record = this.#record()
    if (record === undefined) throw new ControlError('failed', `${this.#request.server} was removed meanwhile`)
    return condition === 'up' ? isUsable(record) : this.#good.count >= checks
  }

  #record(): ServerRecord | undefined {
    return this.#operation.fleet.table.get(this.#request.server)?.record
  }

  #inFlight(): number {
    const { table } = this.#operation.fleet
    const { server } = this.#request
    // Its row is another server's as soon as nothing is in flight on it.
    const isThere = table.get(server)?.record.slot === this.#slot || table.leaving(server) === this.#slot
    return isThere ? this.#operation.board.inFlight(this.#slot) : 0
  }

  #remaining(): Remaining {
    const inFlight = this.#inFlight()
    return { inFlight, tunnels: Math.min(this.#tunnels, inFlight) }
  }

  #data(isMet: boolean): WaitData {
    const { server, condition } = this.#request
    const waitedMs = machineMs() - this.#beganMs
    return { server, condition, isMet, waitedMs, remaining: this.#remaining(), goodChecks: this.#good.count }
  }

  /** When something is other than it was told last, and at least once a second. */
  #tell(): void {
    const data = this.#data(false)
    const facts = JSON.stringify([data.remaining, data.goodChecks])
    const now = machineMs()
    if (facts === this.#told && now - this.#toldMs < TELL_MS) return
    this.#told = facts
    this.#toldMs = now
    this.#caller.progress(data)
  }

  #countTunnels(): void {
    const now = machineMs()
    if (now - this.#tunnelsAskedMs < TELL_MS || this.#inFlight() === 0) return
    this.#tunnelsAskedMs = now
    this.#operation.tunnels(this.#slot, MOST_TUNNELS).then(
      (tunnels) => {
        this.#tunnels = tunnels.length
      },
      // A worker that does not answer is told of elsewhere; the count of what is in flight is right without it.
      () => undefined,
    )
  }

  #lateWords(): string {
    const { server, condition, checks = 1, timeoutMs } = this.#request
    const time = formatDuration(timeoutMs)
    const { inFlight, tunnels } = this.#remaining()
    const among = tunnels === 0 ? '' : `, ${formatCount(tunnels, 'tunnel')} among them`
    if (condition === 'drained') return `${server} is not empty after ${time}: ${inFlight} in flight${among}`
    if (condition === 'up') return `${server} is not up after ${time}: ${this.#stateWords()}`
    return `${server} has ${formatCount(this.#good.count, 'good check')} of ${checks} after ${time}: ${this.#stateWords()}`
  }

  #stateWords(): string {
    const row = this.#operation.fleet.checker.reportOf(this.#request.server)
    const record = this.#record()
    if (row?.code != null && row.ok === false) return `${row.code} ${row.reason}`
    if (record === undefined || record.admin !== 'ready') return record?.admin === 'maint' ? 'it is in maintenance' : 'it is drained'
    if (record.isEjected || record.isProbing) return 'passive health has taken it out'
    return record.health === 'up' ? 'its checks are good so far' : `its health is ${record.health}`
  }
}
