import type { LiveView } from '../../shared/statistics/live.ts'
import { headerLines } from './header.ts'
import { helpLines } from './help.ts'
import { ascii, type FrameSize, lineOf, type Part } from './line.ts'
import { selectedServer, serverRows } from './server-rows.ts'
import { serverTable } from './server-table.ts'
import type { TopState } from './top-state.ts'
import { wrapped } from './width.ts'

const MOST_FOOTER = 3
const hints = 'q quit  ? help  ↑↓ select  d drain  r ready  m maint  w weight  / filter  s sort  t window'

/**
 * The whole screen: exactly `rows` lines, none of them wider than `columns`, without line feeds. Where `rows` is null it is as long
 * as it has to be, with nothing selected and no words about keys. Pure.
 */
export function frame(view: LiveView, size: FrameSize, state: TopState): string[] {
  const lines = size.rows === null ? printed(view, size, state) : filled(view, size, size.rows, state)
  return size.hasUnicode ? lines : lines.map(ascii)
}

function printed(view: LiveView, size: FrameSize, state: TopState): string[] {
  const rows = serverRows(view, state)
  const table = serverTable(rows, state, size)
  return [...headerLines(view, state, size), '', table.head, ...rows.map((row) => table.line(row, false))].map((line) => line.trimEnd())
}

function filled(view: LiveView, size: FrameSize, rows: number, state: TopState): string[] {
  const footer = footerLines(state, size)
  if (state.mode.at === 'help') return fixedTo([...fixedTo(helpLines(size), rows - footer.length), ...footer], rows)
  const header = headerLines(view, state, size)
  const filter = state.filter === '' ? '' : lineOf([{ text: `only servers with "${state.filter}"`, colour: 'yellow' }], size)
  const room = rows - header.length - footer.length - 2
  return fixedTo([...fixedTo([...header, filter, ...body(view, size, room, state)], rows - footer.length), ...footer], rows)
}

/** The head of the table and those rows around the selected one for which there is room. */
function body(view: LiveView, size: FrameSize, room: number, state: TopState): string[] {
  const rows = serverRows(view, state)
  const selected = selectedServer(view, state)
  const at = rows.findIndex((row) => 'server' in row && row.server.id === selected?.id)
  const from = Math.max(0, Math.min(at - Math.floor(room / 2), rows.length - room))
  const table = serverTable(rows, state, size)
  const shown = rows.slice(from, from + Math.max(0, room)).map((row, index) => table.line(row, from + index === at))
  return [table.head, ...(rows.length > 0 ? shown : [nothing(view, state, size)])]
}

function nothing({ upstreams }: LiveView, { filter }: TopState, size: FrameSize): string {
  const text = upstreams.length === 0 ? 'the config has no upstreams' : `no server has "${filter}" in its name, address or state`
  return lineOf(['  ', { text, colour: 'dim' }], size)
}

/** What is asked, typed or answered, or else what the keys do. */
function footerLines(state: TopState, size: FrameSize): string[] {
  const { mode, message } = state
  const said = (text: string, colour?: 'red' | 'yellow' | 'dim' | 'bold'): string[] =>
    wrapped(text.replace(/\s+/g, ' '), size.columns - 1)
      .slice(-MOST_FOOTER)
      .map((line) => lineOf([colour === undefined ? line : ({ text: line, colour } satisfies Part)], size))
  switch (mode.at) {
    case 'question':
      return said(`${mode.text} [y/n]`, 'bold')
    case 'weight':
      return said(`weight of ${mode.server}, such as 50% or 3 (Esc: leave it): ${mode.text}_`, 'bold')
    case 'filter':
      return said(`/${state.filter}_  (Enter: keep it, Esc: as before)`, 'bold')
    case 'help':
      return said('any key goes back', 'dim')
    case 'table':
      return message === null ? [lineOf([{ text: hints, colour: 'dim' }], size)] : said(message.text, message.isBad ? 'red' : undefined)
  }
}

function fixedTo(lines: readonly string[], count: number): string[] {
  return Array.from({ length: Math.max(0, count) }, (_, index) => lines[index] ?? '')
}
