/** How a deploy shows what it does: lines for people with one that is written anew at the end, or JSON lines. */
import type { ControlSession } from '../control-command.ts'
import { LiveLine } from '../live-line.ts'
import { type Cell, type Colour, table } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { grouped, span } from '../words.ts'
import type { DeployData, DeployedServer, DeployProgress } from './data.ts'
import { type Ending, endings } from './server-life.ts'

const clockMs = 1_000

export interface Progress {
  tell(event: DeployProgress): void
  /** The last word. */
  finish(report: DeployData): void
  /** Takes the live line away. */
  dispose(): void
}

/** `generation` is that of the envelopes. */
export function jsonProgress({ out }: Pick<Terminal, 'out'>, generation: () => number | null): Progress {
  const write = (schema: string, data: unknown) =>
    out(`${JSON.stringify({ schema, generation: generation(), time: new Date().toISOString(), data })}\n`)
  return {
    tell: (event) => write('weir.progress/1', event),
    finish: (report) => write('weir.deploy/1', report),
    dispose: () => undefined,
  }
}

export function textProgress(terminal: Terminal, now: () => number): Progress {
  return new TextProgress(terminal, now)
}

class TextProgress implements Progress {
  readonly #terminal: Terminal
  readonly #now: () => number
  readonly #startedAt: number
  readonly #line: LiveLine
  readonly #isLive: boolean
  readonly #timer: NodeJS.Timeout
  /** Of servers that something is being done with: in words. */
  readonly #busy = new Map<string, string>()
  #finished = 0

  constructor(terminal: Terminal, now: () => number) {
    this.#terminal = terminal
    this.#now = now
    this.#startedAt = now()
    this.#isLive = terminal.errWidth !== null
    this.#line = new LiveLine(terminal, { isSilent: !this.#isLive })
    this.#timer = setInterval(() => this.#show(), clockMs)
    this.#timer.unref()
  }

  tell(event: DeployProgress): void {
    this.#note(event)
    // What is waited for is on the live line; where there is none, each change of it is a line.
    if (event.event !== 'wait' || !this.#isLive) this.#print(lineOf(event))
    this.#show()
  }

  finish(report: DeployData): void {
    this.dispose()
    this.#terminal.out(reportText(report, { width: this.#terminal.outWidth, hasColour: this.#terminal.hasColour }))
  }

  dispose(): void {
    clearInterval(this.#timer)
    this.#line.clear()
  }

  #note({ event, server, step, text }: DeployProgress): void {
    if (server === null || (event !== 'step' && event !== 'wait')) return
    if (!endings.includes(step as Ending)) {
      this.#busy.set(server, text)
      return
    }
    this.#busy.delete(server)
    this.#finished++
  }

  #print(text: string): void {
    this.#line.clear()
    this.#terminal.out(`${text}\n`)
  }

  #show(): void {
    if (this.#busy.size === 0) return
    const busy = [...this.#busy].map(([server, text]) => `${server}: ${text}`).join(' · ')
    this.#line.show(`${this.#finished} finished · ${busy}`, span(this.#now() - this.#startedAt))
  }
}

function lineOf({ event, server, text }: DeployProgress): string {
  if (event === 'output') return `[${server}] ${text}`
  if (event === 'command') return `${server}: $ ${text}`
  return server === null ? text : `${server}: ${text}`
}

const colours: Record<DeployedServer['version'], Colour> = { new: 'green', old: 'dim', unknown: 'red', 'rolled-back': 'yellow' }

/** The report in words and a table: which servers are new and which are old, what each step took, and what is left to do. */
export function reportText(report: DeployData, screen: ControlSession['screen']): string {
  const rows = report.servers.map((server): Cell[] => [
    server.server,
    { text: server.version, colour: colours[server.version] },
    server.outcome,
    server.state ?? '',
    ...stepColumns.map(([, ...steps]) => tookText(server, steps)),
    server.note,
  ])
  const right = stepColumns.map(([title]) => ({ title: title.toUpperCase(), align: 'right' as const }))
  const columns = [...['SERVER', 'VERSION', 'OUTCOME', 'STATE'].map((title) => ({ title })), ...right, { title: '' }]
  return `\n${table(columns, rows, { ...screen, width: null })}\n${summary(report)}\n`
}

const stepColumns: readonly [title: string, ...steps: string[]][] = [
  ['drain', 'draining', 'emptying'],
  ['command', 'running'],
  ['checks', 'checking', 'returning'],
  ['soak', 'soaking'],
  ['back', 'restoring', 'withdrawing', 'clearing', 'undoing', 'rechecking', 'rereturning'],
]

function tookText({ steps }: DeployedServer, names: readonly string[]): string {
  const own = steps.filter(({ step }) => names.includes(step))
  return own.length === 0 ? '' : span(own.reduce((sum, { tookMs }) => sum + tookMs, 0))
}

function summary({ upstream, outcome, reason, tookMs, requests, failures, longestHoldMs, servers }: DeployData): string {
  const renewed = servers.filter(({ version }) => version === 'new').length
  const what = outcome === 'done' ? `${upstream} is deployed` : `${upstream} is not deployed (${outcome}): ${reason}`
  const traffic =
    requests === null || failures === null ? '' : `; ${grouped(requests)} requests meanwhile, ${grouped(failures)} failed at a server`
  const held = longestHoldMs === null ? '' : longestHoldMs === 0 ? ', none was held' : `, the longest hold was ${span(longestHoldMs)}`
  return `${what}\n${renewed} of ${servers.length} servers new after ${span(tookMs)}${traffic}${held}`
}
