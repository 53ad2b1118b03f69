/** How long responses of an upstream had waited, over all its servers. Those that are gone still count: a counter never goes back. */
import { abi } from '../../native/abi.ts'
import { classicBoundsUs } from '../../shared/metrics.ts'
import { type Classic, classicFrom } from './classic-buckets.ts'
import type { UpstreamFacts } from './facts.ts'
import type { Keeper } from './keeper.ts'
import { BUCKETS, type SeriesHistory } from './series-history.ts'

const { phase } = abi

export class QueueWaits {
  /** By upstream. */
  readonly #gone = new Map<string, Classic>()
  readonly #counts = new Float64Array(BUCKETS)

  /** A server is gone; `id` is `upstream/server`. */
  leave(id: string, series: readonly (SeriesHistory | undefined)[]): void {
    const upstream = id.slice(0, id.indexOf('/'))
    const sum = this.#gone.get(upstream) ?? nothing()
    this.#gone.set(upstream, sum)
    this.#add(sum, series[phase.queue], series[phase.total])
  }

  of({ name, servers }: UpstreamFacts, keeper: Keeper): Classic {
    const gone = this.#gone.get(name)
    const sum = gone === undefined ? nothing() : { cumulative: gone.cumulative.slice(), sumSeconds: gone.sumSeconds }
    for (const { slot } of servers) this.#add(sum, keeper.series('server', slot, phase.queue), keeper.series('server', slot, phase.total))
    return sum
  }

  #add(sum: Classic, queue: SeriesHistory | undefined, total: SeriesHistory | undefined): void {
    const [waits, responses] = [queue?.count ?? 0, total?.count ?? 0]
    if (waits === 0 && responses === 0) return
    this.#counts.fill(0)
    queue?.addTotal(this.#counts)
    const own = classicFrom(this.#counts, queue?.sumUs ?? 0, Math.max(0, responses - waits))
    sum.sumSeconds += own.sumSeconds
    for (const [i, count] of own.cumulative.entries()) sum.cumulative[i] = (sum.cumulative[i] as number) + count
  }
}

function nothing(): Classic {
  return { cumulative: new Float64Array(classicBoundsUs.length + 1), sumSeconds: 0 }
}
