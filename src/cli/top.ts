import { setTimeout as delay } from 'node:timers/promises'
import { type WindowName, windows } from '../shared/statistics/live.ts'
import { type ControlArguments, type ControlSession, controlCommand } from './control-command.ts'
import { Interrupted } from './control-errors.ts'
import type { Terminal } from './terminal.ts'
import { frame } from './top/frame.ts'
import { fullScreen } from './top/full-screen.ts'
import { firstState } from './top/top-state.ts'

interface TopArguments extends ControlArguments {
  window: WindowName
  once: boolean
}

const ANSWER_MS = 10_000
const EVERY_MS = 1_000
/** Of what is printed where there is no screen. */
const PRINTED_COLUMNS = 200

/** `weir top`: what runs, on the whole screen, with keys to operate it. */
export const topCommand = controlCommand<TopArguments>({
  command: 'top',
  describe: 'Watch servers, latency and what weir itself adds, on the whole screen; keys drain, ready, weigh',
  arguments: (yargs) =>
    yargs
      .option('window', { choices: windows, default: '10s' as WindowName, describe: 'Stretch of time that the figures are of' })
      .option('once', { type: 'boolean', default: false, describe: 'Print it once and end; so it is where there is no terminal' })
      .example('weir top', 'Press ? for the keys')
      .example('weir top --once --window 5m', 'The last five minutes, as text')
      .example('weir top --json', 'A line of JSON each second'),
  async run({ window, once }, session) {
    if (session.isJson) return linesOf(session, window, once)
    const view = (await session.ask('live', { window }, { withinMs: ANSWER_MS })).data
    const hasUnicode = showsUnicode(session.terminal)
    const { hasColour } = session.screen
    if (!once && canFill(session.terminal)) return fullScreen(session, view, firstState(window), { ...streams(), hasColour, hasUnicode })
    const columns = session.screen.width ?? PRINTED_COLUMNS
    const lines = frame(view, { columns, rows: null, hasColour, hasUnicode }, firstState(window))
    session.terminal.out(`${lines.join('\n')}\n`)
    return 0
  },
})

function streams(): { stdin: typeof process.stdin; stdout: typeof process.stdout } {
  return { stdin: process.stdin, stdout: process.stdout }
}

/** Whether a program can draw on the terminal as it likes, and hear its keys. */
function canFill({ outWidth, env }: Terminal): boolean {
  return outWidth !== null && env['TERM'] !== 'dumb' && process.stdout.isTTY === true && process.stdin.isTTY === true
}

/** What the locale says (POSIX: the first of these that is set); where nothing is printed on a screen, whoever reads it copes. */
function showsUnicode({ outWidth, env }: Terminal): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => (value ?? '') !== '') ?? ''
  return outWidth === null || /utf-?8/i.test(locale)
}

/** An envelope each second, or one. */
async function linesOf(session: ControlSession, window: WindowName, once: boolean): Promise<number> {
  try {
    for (;;) {
      const { line } = await session.ask('live', { window }, { withinMs: ANSWER_MS })
      session.terminal.out(`${line}\n`)
      if (once) return 0
      await delay(EVERY_MS, undefined, { signal: session.signal })
    }
  } catch (error) {
    if (error instanceof Interrupted || session.signal.aborted) return 130
    throw error
  }
}
