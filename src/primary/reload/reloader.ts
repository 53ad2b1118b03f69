import { formatCount } from '../../shared/base/units.ts'
import type { Config } from '../../shared/config/model.ts'
import { renderProblems } from '../../shared/config/problem.ts'
import { loadSource } from '../../shared/config/source.ts'
import type { PlanData, PlanStep, ReloadData, ReloadOutcome } from '../../shared/control/data.ts'
import { ControlError } from '../../shared/control/requests.ts'
import type { Configuration, Source } from '../configuration.ts'
import type { Overrides } from '../overrides.ts'
import { codeSteps } from './code-steps.ts'
import { type PlanLoad, planOf } from './plan.ts'

export interface ReloaderOptions {
  /** null: there is no file to read again. */
  file: string | null
  configuration: Configuration
  overrides: Overrides
  load: PlanLoad
  /** Runs the work of a reload; others see that it goes on. */
  around<T>(work: () => Promise<T>): Promise<T>
  /** A config is in force that was not before. */
  applied(config: Config): void
  log(line: string): void
}

interface Loaded {
  file: string
  source: Source
  steps: PlanStep[]
  warnings: string[]
}

/** Reads the config file again: check, plan, apply. */
export class Reloader {
  readonly #options: ReloaderOptions
  /** Reloads so far. */
  readonly counts = { applied: 0, refused: 0 }
  #last: ReloadOutcome | null = null

  constructor(options: ReloaderOptions) {
    this.#options = options
  }

  get last(): ReloadOutcome | null {
    return this.#last
  }

  /** Throws ControlError when the file cannot be read or holds problems. */
  async plan(): Promise<PlanData> {
    const { file, steps, source, warnings } = await this.#load()
    return { file, steps, conflicts: this.#conflicts(source.config), warnings }
  }

  /** Throws ControlError, and what was in force before still is. */
  async reload(isDryRun: boolean): Promise<ReloadData> {
    const startMs = performance.now()
    if (isDryRun) {
      const { file, steps, source } = await this.#load()
      return { file, changed: false, dryRun: true, steps, conflicts: this.#conflicts(source.config), tookMs: elapsed(startMs) }
    }
    const { configuration, around } = this.#options
    try {
      return await configuration.inTurn(() => around(() => this.#apply(startMs)))
    } catch (error) {
      const known = error instanceof ControlError ? error : new ControlError('failed', messageOf(error))
      this.#note(false, known.message)
      throw known
    }
  }

  async #apply(startMs: number): Promise<ReloadData> {
    const { configuration, overrides, applied, log } = this.#options
    const { file, source, steps } = await this.#load()
    const conflicts = this.#conflicts(source.config)
    const changes = steps.filter(({ how }) => how !== 'restart')
    if (changes.length > 0) {
      await configuration.replace(source)
      for (const words of overrides.settle(source.config)) log(words)
      applied(source.config)
    }
    const waiting = steps.length - changes.length
    const words = `${formatCount(changes.length, 'change')} applied from ${file}${waiting > 0 ? `; ${formatCount(waiting, 'change')} need a restart or weir upgrade` : ''}`
    this.#note(true, words)
    return { file, changed: changes.length > 0, dryRun: false, steps, conflicts, tookMs: elapsed(startMs) }
  }

  async #load(): Promise<Loaded> {
    const { file, configuration, load } = this.#options
    if (file === null) throw new ControlError('refused', 'this weir was started without a config file: there is nothing to reload')
    const { loaded, module } = await loadSource(file)
    if (!loaded.ok) throw new ControlError('invalid-config', renderProblems(loaded.problems).trimEnd())
    const before = configuration.source
    const steps = [...planOf(before.config, loaded.config, load), ...codeSteps(before.module, module, loaded.config)]
    const source = { config: withoutRestart(loaded.config, before.config), module }
    return { file, source, steps, warnings: loaded.warnings.map(({ message }) => message) }
  }

  #conflicts(config: Config) {
    return this.#options.overrides.list(config).filter(({ conflict }) => conflict !== null)
  }

  #note(ok: boolean, message: string): void {
    this.counts[ok ? 'applied' : 'refused']++
    this.#last = { at: new Date().toISOString(), ok, message }
    this.#options.log(ok ? message : `the config was not reloaded, what was in force still is: ${message}`)
  }
}

/** What only a start can apply stays what it is, so that the next plan still names it. */
function withoutRestart(next: Config, { workers, user, group, pidFile, control, admin }: Config): Config {
  return { ...next, workers, user, group, pidFile, control, admin }
}

function elapsed(startMs: number): number {
  return Math.round(performance.now() - startMs)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
