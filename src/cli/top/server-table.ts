import type { LiveServer, LiveUpstream } from '../../shared/statistics/live.ts'
import type { Colour } from '../table.ts'
import { grouped } from '../words.ts'
import { micros, rate, share } from './figures.ts'
import { cellOf, type FrameSize, lineOf, type Part, partWidth, reversed } from './line.ts'
import type { Row } from './server-rows.ts'
import type { Order, TopState } from './top-state.ts'

interface Column {
  title: string
  align: 'left' | 'right'
  /** The order that is told by a sign at its title. */
  order?: Order
  /** Where lines are too long, the column with the highest number goes first; 0 stays. */
  leaves: number
  cell(server: LiveServer): Part
}

const stateColours: Readonly<Record<string, Colour>> = {
  up: 'green',
  down: 'red',
  ejected: 'red',
  unknown: 'yellow',
  warming: 'yellow',
  probing: 'yellow',
  draining: 'yellow',
  drained: 'cyan',
  maint: 'cyan',
}

const GAP = '  '
const MARK = 2
const LEAST_REASON = 12
const LEAST_NAME = 8
const checkWidths = [64, 32, 16]

const errorPart = ({ rates: { errorShare } }: LiveServer): Part =>
  errorShare >= 0.01 ? { text: share(errorShare), colour: 'red' } : share(errorShare)

/** The columns but for checks and reason, whose widths follow from what is left. */
const fixed: readonly Column[] = [
  { title: 'SERVER', align: 'left', order: 'name', leaves: 0, cell: ({ id, isBackup }) => (isBackup ? `${id} (backup)` : id) },
  {
    title: 'STATE',
    align: 'left',
    order: 'state',
    leaves: 0,
    cell: ({ state }) => ({ text: state, colour: stateColours[state] ?? 'yellow' }),
  },
  { title: 'WEIGHT', align: 'right', leaves: 6, cell: ({ weightPercent }) => `${weightPercent}%` },
  { title: 'IN FLIGHT', align: 'right', order: 'in flight', leaves: 1, cell: ({ inFlight }) => grouped(inFlight) },
  { title: 'REQ/S', align: 'right', order: 'requests', leaves: 2, cell: ({ rates }) => rate(rates.requestsPerSecond) },
  { title: 'ERRORS', align: 'right', order: 'errors', leaves: 3, cell: errorPart },
  { title: 'P50', align: 'right', leaves: 5, cell: ({ latency }) => micros(latency.firstByte?.p50) },
  { title: 'P99', align: 'right', order: 'p99', leaves: 4, cell: ({ latency }) => micros(latency.firstByte?.p99) },
  { title: 'ADDED P99', align: 'right', order: 'added', leaves: 3.5, cell: ({ latency }) => micros(latency.overhead?.p99) },
]

/** The head of the table, and a function that writes a row. Widths are those of all rows, so that nothing jumps while it is scrolled. */
export function serverTable(
  rows: readonly Row[],
  state: TopState,
  size: FrameSize,
): { head: string; line(row: Row, isSelected: boolean): string } {
  const servers = rows.flatMap((row) => ('server' in row ? [row.server] : []))
  const layout = layoutOf(servers, state, size)
  const cells = (parts: readonly Part[]) => parts.flatMap((part, index) => (index === 0 ? [part] : [GAP, part]))
  return {
    head: lineOf([' '.repeat(MARK), ...cells(layout.map(({ head }) => ({ text: plain(head), colour: 'bold' as const })))], size),
    line(row, isSelected) {
      if ('upstream' in row) return upstreamLine(row.upstream, size)
      const parts = [isSelected ? '> ' : '  ', ...cells(layout.map(({ cell }) => cell(row.server)))]
      return isSelected ? reversed(parts, size) : lineOf(parts, size)
    },
  }
}

interface Laid {
  head: Part
  cell(server: LiveServer): Part
}

function layoutOf(servers: readonly LiveServer[], state: TopState, size: FrameSize): Laid[] {
  const columns = fixed.map((column) => ({ ...column, width: widthOf(column, servers, state) }))
  while (total(columns) > size.columns - MARK && columns.some(({ leaves }) => leaves > 0)) {
    columns.splice(
      columns.findIndex(({ leaves }) => leaves === Math.max(...columns.map((column) => column.leaves))),
      1,
    )
  }
  const over = total(columns) - (size.columns - MARK)
  if (over > 0 && columns[0]) columns[0].width = Math.max(LEAST_NAME, columns[0].width - over)
  const laid = columns.map(({ width, align, cell, ...column }): Laid => {
    return { head: cellOf(titleOf(column, state), width, align), cell: (server) => cellOf(cell(server), width, align) }
  })
  return [...laid, ...rest(servers, size.columns - MARK - total(columns))]
}

/** Checks and reasons get what is left. */
function rest(servers: readonly LiveServer[], room: number): Laid[] {
  const reasons = Math.max(0, ...servers.map(({ reason }) => partWidth(reason ?? '')))
  const wanted = reasons === 0 ? 0 : GAP.length + Math.max(LEAST_REASON, Math.min(reasons, 30))
  const isChecked = servers.some(({ checks }) => checks !== '')
  const width = isChecked ? (checkWidths.find((each) => GAP.length + each + wanted <= room) ?? (GAP.length + 16 <= room ? 16 : 0)) : 0
  const left = room - (width > 0 ? GAP.length + width : 0) - GAP.length
  const checks: Laid = { head: cellOf('CHECKS', width, 'left'), cell: (server) => checksPart(server, width) }
  const reason: Laid = { head: 'REASON', cell: (server) => cellOf(server.reason ?? '', left, 'left') }
  return [...(width > 0 ? [checks] : []), ...(reasons > 0 && left >= LEAST_REASON ? [reason] : [])]
}

/** The newest on the right: low marks passed, high ones failed. */
function checksPart({ checks }: LiveServer, width: number): Part {
  const text = checks.slice(-width).replaceAll('-', '█').replaceAll('+', '▁').padStart(width)
  return text.includes('█') ? { text, colour: 'red' } : { text, colour: 'green' }
}

function widthOf(column: Column, servers: readonly LiveServer[], state: TopState): number {
  return Math.max(partWidth(titleOf(column, state)), ...servers.map((server) => partWidth(column.cell(server))))
}

function titleOf({ title, order }: Pick<Column, 'title' | 'order'>, state: TopState): string {
  return order === undefined || order !== state.order ? title : `${title}${state.isReversed ? '▴' : '▾'}`
}

function total(columns: readonly { width: number }[]): number {
  return columns.reduce((sum, { width }) => sum + width + GAP.length, -GAP.length)
}

function upstreamLine({ name, balance, waiting, held, rates, latency, servers }: LiveUpstream, size: FrameSize): string {
  const serving = servers.filter(({ state }) => ['up', 'warming', 'probing'].includes(state)).length
  const usable: Part = {
    text: `${serving} of ${servers.length} serve`,
    colour: serving === servers.length ? 'green' : serving === 0 ? 'red' : 'yellow',
  }
  const facts = [
    balance,
    ...(waiting > 0 ? [`${grouped(waiting)} waiting`] : []),
    ...(held > 0 ? [`${grouped(held)} held`] : []),
    `${rate(rates.requestsPerSecond)} req/s`,
    `${share(rates.errorShare)} errors`,
    `p99 ${micros(latency.total?.p99)}`,
  ]
  return lineOf([{ text: name, colour: 'bold' }, ': ', usable, `, ${facts.join(', ')}`], size)
}

function plain(part: Part): string {
  return typeof part === 'string' ? part : part.text
}
