/** The active check of one server. */
import type { HealthConfig } from '../../shared/config/model.ts'
import { HealthMachine, type HealthPace } from '../../shared/health-machine.ts'
import type { ResolvedAddress } from '../../shared/ipc/protocol.ts'
import type { CheckEvents, CheckTarget } from './check-target.ts'
import type { Probe, ProbeConfig, ProbeResult } from './probe.ts'

/** One that is left with less than this is not asked any more. */
const LEAST_TIME_MS = 5

/** So many checks are remembered one by one. */
const LATEST = 64

export interface CheckHistory {
  /** The latest, oldest first: `+` passed, `-` failed. */
  latest: string
  /** So far. */
  passed: number
  failed: number
  /** All of them together. */
  tookMs: number
}

export interface Probes {
  tcp: Probe
  http: Probe
}

export class ServerCheck {
  readonly machine: HealthMachine
  readonly #id: string
  readonly #health: HealthConfig
  readonly #config: ProbeConfig
  readonly #probes: Probes
  readonly #events: CheckEvents
  #addresses: readonly ResolvedAddress[]
  /** The address that is asked first: one that answered. */
  #first = 0
  #last: ProbeResult | null = null
  #checkedAt: number | null = null
  #isDraining = false
  readonly #history: CheckHistory = { latest: '', passed: 0, failed: 0, tookMs: 0 }

  constructor(target: CheckTarget, health: HealthConfig, probes: Probes, events: CheckEvents) {
    this.machine = new HealthMachine(health)
    this.#id = target.id
    this.#health = health
    const { authority, sendProxyProtocol, tls = null } = target
    this.#config = { check: health.check, authority, sendProxyProtocol, tls }
    this.#probes = probes
    this.#events = events
    this.#addresses = target.addresses
  }

  get last(): ProbeResult | null {
    return this.#last
  }

  /** On the clock of `run`; null before the first result. */
  get checkedAt(): number | null {
    return this.#checkedAt
  }

  /** What its checks came to. */
  get history(): Readonly<CheckHistory> {
    return this.#history
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  /** Where the server is from now on. What is known of it stays. */
  move(addresses: readonly ResolvedAddress[]): void {
    if (JSON.stringify(addresses) === JSON.stringify(this.#addresses)) return
    this.#addresses = addresses
    this.#first = 0
  }

  /** Checks once and tells what follows. Never rejects. An aborted check tells nothing. */
  async run(signal: AbortSignal, clock: () => number): Promise<HealthPace> {
    const result = await this.#ask(signal)
    // A fault of our own says nothing about the server.
    if (!signal.aborted && result.code !== 'SOCKERR') this.#conclude(result, clock())
    return result.code === 'SOCKERR' ? 'changing' : this.machine.pace
  }

  /** Asks the addresses in turn until one stands, within one timeout. */
  async #ask(signal: AbortSignal): Promise<ProbeResult> {
    const addresses = this.#addresses
    const probe = this.#probes[this.#health.check.kind]
    let result: ProbeResult = { ok: false, code: 'L4CON', reason: 'its name has no address', latencyMs: 0 }
    let leftMs = this.#health.timeoutMs
    for (let tried = 0; tried < addresses.length && leftMs >= LEAST_TIME_MS; tried++) {
      result = await probe(this.#onPort(addresses[this.#first % addresses.length] as ResolvedAddress), this.#config, leftMs, signal)
      if (result.code !== 'L4CON' && result.code !== 'L4TOUT') break
      leftMs = Math.floor(leftMs - result.latencyMs)
      // After a timeout there is no time left for the next address: the next check begins with it.
      this.#first = (this.#first + 1) % addresses.length
    }
    return result
  }

  #onPort(address: ResolvedAddress): ResolvedAddress {
    const port = this.#health.port
    return port === null || 'path' in address ? address : { ip: address.ip, port }
  }

  #conclude(result: ProbeResult, now: number): void {
    this.#last = result
    this.#checkedAt = now
    this.#note(result)
    const verdict = this.machine.take(result)
    if (verdict !== null) this.#events.verdict(this.#id, { health: verdict, reason: result.reason, at: now })
    const asksDrain = result.drain === true
    // A failure is no answer to the question whether it wants to be drained.
    if (!result.ok || asksDrain === this.#isDraining) return
    this.#isDraining = asksDrain
    this.#events.drain(this.#id, asksDrain)
  }

  #note({ ok, latencyMs }: ProbeResult): void {
    const history = this.#history
    history.latest = (history.latest + (ok ? '+' : '-')).slice(-LATEST)
    history.tookMs += latencyMs
    if (ok) history.passed++
    else history.failed++
  }
}
