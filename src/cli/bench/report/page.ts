/** A result as one HTML page that needs nothing else: no request, no script. Pure. */
import type { BenchResult, FleetResult } from '../result.ts'
import { inksOf } from './fleet-plots.ts'
import { factList, htmlPage, htmlTable } from './html.ts'
import { fleetSection } from './page-fleet.ts'
import { escaped } from './plot/svg.ts'
import { winnerOf } from './winner.ts'

/** Throws where a histogram of the result is none. */
export function page(result: BenchResult): string {
  const inks = inksOf(result.fleets)
  const parts = [
    '<h1>Which policy suits which fleet</h1>',
    `<p class="quiet">weir bench, ${escaped(result.time)}</p>`,
    result.isInterrupted ? '<p class="warning">The run was interrupted: what is missing was not measured.</p>' : '',
    factList(factsOf(result)),
    glance(result.fleets),
    ...result.fleets.map((fleet, index) => fleetSection(fleet, idOf(index), inks)),
  ]
  return htmlPage('weir bench', parts.filter((part) => part !== '').join('\n'))
}

function factsOf({ environment, settings }: BenchResult): (readonly [string, string])[] {
  const { rounds, seconds, warmUpSeconds, isQuick, seed, config, isLive } = settings
  const memory = `${Math.round(environment.memoryBytes / 2 ** 30)} GiB`
  return [
    ['Processor', `${environment.cpu}, ${environment.cores} cores${environment.isVirtual ? ', virtual' : ''}`],
    ['Memory, open files', `${memory}, ${environment.openFiles.toLocaleString('en-US')}`],
    ['Kernel', environment.kernel],
    ['Node.js', environment.node],
    ['weir', environment.commit === null ? environment.weir : `${environment.weir}, commit ${environment.commit}`],
    [
      'Measured',
      `${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${seconds} s after ${warmUpSeconds} s of warm-up${isQuick ? ', quick' : ''}`,
    ],
    ['Fleets from', config === null ? 'the built-in ones' : `${config}${isLive ? ', latencies of a running balancer' : ''}`],
    ['Seed', String(seed)],
  ]
}

/** All fleets with their winners, as links. */
function glance(fleets: readonly FleetResult[]): string {
  if (fleets.length < 2) return ''
  const rows = fleets.map((fleet, index) => {
    const winner = fleet.winner ?? winnerOf(fleet)
    const text = winner === null ? 'Not compared.' : winner.text
    return { head: `<a href="#${idOf(index)}">${escaped(fleet.name)}</a>`, cells: [{ html: escaped(text), isWords: true }] }
  })
  return `<h3>At a glance</h3>\n${htmlTable([{ html: 'fleet' }, { html: '' }], rows)}`
}

function idOf(index: number): string {
  return `fleet-${index + 1}`
}
