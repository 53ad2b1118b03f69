import type { WorkerStatus } from '../shared/control/data.ts'
import { type Cell, type Colour, type Column, type Screen, table } from './table.ts'
import { ago, counted, grouped, span } from './words.ts'

const columns: Column[] = [
  { title: 'WORKER', align: 'right' },
  { title: 'PID', align: 'right' },
  { title: 'STATE' },
  { title: 'UP' },
  { title: 'CONNECTIONS', align: 'right' },
  { title: 'TUNNELS', align: 'right' },
  { title: 'REQUESTS', align: 'right' },
  { title: 'GENERATION', align: 'right' },
  { title: 'HEARD' },
  { title: 'NOTE' },
]
const stateColours: Record<WorkerStatus['state'], Colour> = { starting: 'yellow', ready: 'green', draining: 'yellow', gone: 'red' }

/** One row for each worker process. */
export function workersTable(workers: readonly WorkerStatus[], screen: Screen): string {
  return table(columns, workers.map(workerRow), screen)
}

function workerRow(worker: WorkerStatus): Cell[] {
  const { number, pid, state, isStalled, uptimeMs, connections, tunnels, exchanges, generation, heardMs } = worker
  return [
    String(number),
    String(pid),
    isStalled ? { text: 'stalled', colour: 'red' } : { text: state, colour: stateColours[state] },
    span(uptimeMs),
    grouped(connections),
    grouped(tunnels),
    grouped(exchanges),
    String(generation),
    ago(heardMs),
    noteOf(worker),
  ]
}

function noteOf({ restarts, lastEnd }: WorkerStatus): string {
  if (restarts === 0) return ''
  return `replaced ${counted(restarts, 'time')}${lastEnd === null ? '' : `, last: ${lastEnd}`}`
}
