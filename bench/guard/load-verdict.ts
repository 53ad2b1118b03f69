/** What the pairs say: a verdict for each number, and the sentences for people. Pure. */
import { table, text } from '../lib/numbers.ts'
import { type Judged, judge } from './noise.ts'
import { medianOf, type Pair } from './pairs.ts'
import { type LoadMetric, loadLimits } from './thresholds.ts'

export type Verdicts = Record<LoadMetric, Judged>

const labels: Record<LoadMetric, { label: string; unit: string; rises: boolean; look: string }> = {
  cpuUs: {
    label: 'CPU us/request',
    unit: 'us of CPU per request',
    rises: true,
    look: 'the instruction counts (make bench-guard-instructions) for the engine, and at src/worker/request-life.ts with node --cpu-prof',
  },
  rps: {
    label: 'req/s',
    unit: 'requests per second',
    rises: false,
    look: 'CPU per request first; when that is the same, at what makes it wait: system calls (strace -c), timers, wake-ups',
  },
  p99OverheadUs: {
    label: 'p99 overhead us',
    unit: 'us added to the p99',
    rises: true,
    look: 'long turns of a worker (weir top, the loop delay), garbage collection, and work done for many connections at once',
  },
}
const metrics = Object.keys(labels) as LoadMetric[]

/** A verdict for each number. */
export function judgePairs(pairs: Pair[]): Verdicts {
  const verdictOf = (metric: LoadMetric) =>
    judge(
      pairs.map((pair) => ratioOf(pair, metric)),
      1 + loadLimits[metric].growth,
    )
  return { cpuUs: verdictOf('cpuUs'), rps: verdictOf('rps'), p99OverheadUs: verdictOf('p99OverheadUs') }
}

/** Above 1 where this build is worse. */
export function ratioOf({ here, base }: Pair, metric: LoadMetric): number {
  if (Math.abs(here[metric] - base[metric]) < loadLimits[metric].least) return 1
  return labels[metric].rises ? here[metric] / base[metric] : base[metric] / here[metric]
}

/** One line per number. */
export function loadTable(pairs: Pair[], verdicts: Verdicts): string {
  const rows = metrics.map((metric) => {
    const { ratio, atLeast, spread, standing } = verdicts[metric]
    return [
      labels[metric].label,
      text(medianOf(pairs, 'here', metric)),
      text(medianOf(pairs, 'base', metric)),
      `${ratio.toFixed(3)} ±${(spread * 100).toFixed(0)} %`,
      Number.isFinite(atLeast) ? atLeast.toFixed(3) : '-',
      (1 + loadLimits[metric].growth).toFixed(2),
      standing === 'worse' ? 'SLOWER' : standing === 'ok' ? 'ok' : 'ok, but noisy',
    ]
  })
  return table([['', 'here', 'base', 'ratio', 'at least', 'limit', ''], ...rows])
}

/** What got slower, by how much, and where to look: a sentence for each number that is worse, a remark for each that is undecided. */
export function loadSentences(pairs: Pair[], verdicts: Verdicts): string[] {
  return metrics.flatMap((metric) => {
    const [{ standing, ratio, atLeast }, { label, unit, look }] = [verdicts[metric], labels[metric]]
    const limit = (1 + loadLimits[metric].growth).toFixed(2)
    if (standing === 'undecided') {
      return [
        `note: ${label} is ${ratio.toFixed(2)} times worse at the median, but the pairs differ too much to be sure: run it again on a quiet machine`,
      ]
    }
    if (standing === 'ok') return []
    const [here, base] = [text(medianOf(pairs, 'here', metric)), text(medianOf(pairs, 'base', metric))]
    return [
      `FAILED ${here} ${unit}, the base has ${base}: ${ratio.toFixed(2)} times worse, at least ${atLeast.toFixed(2)}, allowed ${limit}. Look at ${look}.`,
    ]
  })
}
