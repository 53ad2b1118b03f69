/** All fleets, some of them at the same time. */
import { LiveLine } from '../live-line.ts'
import type { Terminal } from '../terminal.ts'
import { span } from '../words.ts'
import type { Fleet } from './fleet.ts'
import type { FleetResult } from './result.ts'
import { type FleetProgress, runFleet } from './run-fleet.ts'
import type { Settings } from './settings.ts'

export interface BenchRun {
  settings: Settings
  terminal: Terminal
  /** Without progress. */
  isSilent: boolean
  signal: AbortSignal
  /** A fleet is finished, or as far as it came. */
  onFleet(result: FleetResult): void
}

export interface BenchOutcome {
  results: FleetResult[]
  /** The first thing that went wrong; null: nothing. */
  fault: unknown
}

/**
 * Runs the fleets in so many lanes, each of which takes the next one as soon as it is free. Interrupted, or when something goes wrong, it
 * answers what was measured until then, when all processes are gone.
 */
export async function runBench(fleets: readonly Fleet[], run: BenchRun): Promise<BenchOutcome> {
  const line = new ProgressLine(fleets, run)
  const failure = new AbortController()
  const signal = AbortSignal.any([run.signal, failure.signal])
  const results = new Map<Fleet, FleetResult>()
  const waiting = [...fleets]
  const lane = async (): Promise<void> => {
    for (let fleet = waiting.shift(); fleet !== undefined && !signal.aborted; fleet = waiting.shift()) {
      const result = await runFleet(fleet, { settings: run.settings, signal, onProgress: (progress) => line.show(progress) })
      line.finish(fleet)
      if (result.policies.every(({ rounds }) => rounds.length === 0)) continue
      results.set(fleet, result)
      run.onFleet(result)
    }
  }
  const lanes = Array.from({ length: run.settings.lanes }, () => lane().catch((error: unknown) => failure.abort(error)))
  await Promise.all(lanes)
  line.clear()
  const fault: unknown = failure.signal.aborted ? failure.signal.reason : null
  return { results: fleets.flatMap((fleet) => results.get(fleet) ?? []), fault }
}

/** Which fleets are being measured, and how long it still takes. */
class ProgressLine {
  readonly #line: LiveLine
  readonly #at = new Map<string, FleetProgress>()
  readonly #finished = new Map<string, number>()
  readonly #stretches: Map<string, number>
  readonly #rounds: number
  readonly #beganAt = performance.now()

  constructor(fleets: readonly Fleet[], { settings, terminal, isSilent }: BenchRun) {
    this.#line = new LiveLine(terminal, { isSilent })
    this.#rounds = settings.rounds
    this.#stretches = new Map(fleets.map(({ name, policies }) => [name, policies.length * settings.rounds]))
  }

  show(progress: FleetProgress): void {
    this.#at.set(progress.fleet, progress)
    const all = [...this.#at.values()]
    const text = all.map(({ fleet, round }) => `${fleet} round ${round} of ${this.#rounds}`).join(', ')
    this.#line.show(text, `${all.map(({ policy }) => policy).join(', ')}, ${this.#left()}`)
  }

  finish({ name }: Fleet): void {
    this.#at.delete(name)
    this.#finished.set(name, this.#stretches.get(name) ?? 0)
    this.clear()
  }

  clear(): void {
    this.#line.clear()
  }

  /** As long as what is left takes at the pace so far. */
  #left(): string {
    const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0)
    const done = sum(this.#finished.values()) + sum([...this.#at.values()].map((progress) => progress.done))
    const all = sum(this.#stretches.values())
    if (done === 0) return `0 of ${all}`
    return `${done} of ${all}, about ${span(((performance.now() - this.#beganAt) / done) * (all - done))} left`
  }
}
