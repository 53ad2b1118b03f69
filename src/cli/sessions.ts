import type { Argv } from 'yargs'
import { formatSize } from '../shared/base/units.ts'
import type { SessionsData } from '../shared/control/data.ts'
import { type ControlArguments, controlCommand } from './control-command.ts'
import { type Cell, type Column, type Screen, table } from './table.ts'
import { serverArgument, wholeNumber } from './usage-error.ts'
import { counted, span } from './words.ts'

interface SessionsArguments extends ControlArguments {
  server: string | undefined
  most: number | undefined
}

const ANSWER_MS = 10_000
const columns: Column[] = [
  { title: 'CLIENT' },
  { title: 'LISTENER' },
  { title: 'SERVER' },
  { title: 'AGE' },
  { title: 'IDLE' },
  { title: 'SENT', align: 'right' },
  { title: 'RECEIVED', align: 'right' },
  { title: 'WORKER', align: 'right' },
]

/** `weir sessions [U/S]`: open tunnels, such as WebSockets and TCP connections. */
export const sessionsCommand = controlCommand<SessionsArguments>({
  command: 'sessions [server]',
  describe: 'Show open tunnels (TCP connections, WebSockets), of one server or of all',
  arguments: (yargs) =>
    yargs
      .positional('server', {
        type: 'string',
        describe: 'Server, as upstream/server',
        coerce: (text?: string) => (text === undefined ? text : serverArgument(text)),
      })
      .option('most', { type: 'string', coerce: wholeNumber('most', { from: 1, to: 10_000 }), describe: 'List at most so many' })
      .example('weir sessions api/a', 'What still runs on a server that drains') as unknown as Argv<SessionsArguments>,
  async run({ server, most }, session) {
    const request = { ...(server === undefined ? {} : { server }), ...(most === undefined ? {} : { most }) }
    session.show(await session.ask('sessions', request, { withinMs: ANSWER_MS }), sessionsText)
    return 0
  },
})

/** The tunnels in a table, with how many there are where not all are listed. */
export function sessionsText({ data: { sessions, total } }: { data: SessionsData }, screen: Screen): string {
  if (total === 0) return 'no open tunnels\n'
  const rows = sessions.map(({ client, listener, server, ageMs, idleMs, bytesSent, bytesReceived, worker }): Cell[] => [
    client,
    listener,
    server,
    span(ageMs),
    span(idleMs),
    bytes(bytesSent),
    bytes(bytesReceived),
    String(worker),
  ])
  const more = total > sessions.length ? `${counted(total, 'open tunnel')}, ${sessions.length} of them shown; --most shows more\n` : ''
  return table(columns, rows, screen) + more
}

/** `812B`, `1.2KiB`, `3.4GiB`. */
function bytes(count: number): string {
  const unit = [2 ** 30, 2 ** 20, 2 ** 10].find((size) => count >= size) ?? 1
  return formatSize(unit).replace(/^1/, String(Number((count / unit).toFixed(1))))
}
