// `weir top` on a real terminal, before a real balancer: what it shows, its keys, and how it leaves the terminal behind.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import type { LiveView } from '../../src/shared/statistics/live.ts'
import { MAIN, NODE, startBalancer } from './lib/balancer.ts'
import { command } from './lib/command.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { Gate, member, send } from './lib/member.ts'
import { needs } from './lib/programs.ts'
import { startTerminal, type TmuxTerminal } from './lib/tmux.ts'
import { until } from './lib/wait.ts'

const gate = new Gate()
const [a, b] = await Promise.all([member(file, 'a'), member(file, 'b')])
const servers = [a, b].map(({ name, address }) => ({ name, address }))
const weir = await startBalancer(file, config({ servers, upstream: { balance: 'first' } }))
file.after(() => gate.open())

/** A terminal in which `weir top` runs, as soon as it shows something. The line that follows tells how it ended. */
async function top(t: TestContext, options = '', env: Record<string, string> = {}): Promise<TmuxTerminal | undefined> {
  const tmux = needs(t, 'tmux')
  if (tmux === undefined) return undefined
  const terminal = await startTerminal(t, { tmux, cwd: weir.folder, env: { XDG_RUNTIME_DIR: weir.folder, ...env } })
  await terminal.press(`'${NODE}' '${MAIN}' top ${options}; echo "ended with $?"`, 'Enter')
  return terminal
}

/** Nothing is left of it: not its screen, not its ways with keys and cursor. */
async function assertLeft(terminal: TmuxTerminal, exit: number): Promise<void> {
  const screen = await terminal.shows(new RegExp(`^ended with ${exit}$`, 'm'))
  assert.doesNotMatch(screen, /SERVER/)
  assert.deepEqual(await terminal.state(), { isAlternate: false, hasCursor: true })
  await terminal.press('stty -a | tr ";" "\\n" | grep -ow -e -icanon -e icanon -e -echo -e echo', 'Enter')
  await terminal.shows(/^icanon\n(.*\n)?echo$/m)
}

test('a server is drained and made ready by keys, and q leaves the terminal as it was', async (t) => {
  const terminal = await top(t)
  if (terminal === undefined) return
  a.handle = gate.handler('a')
  await send(t, weir.port())
  await until(() => gate.size === 1)
  await terminal.shows(/^> app\/a +up +100% +1 /m)
  assert.deepEqual(await terminal.state(), { isAlternate: true, hasCursor: false })

  await terminal.press('d')
  await terminal.shows(/^Drain app\/a\? Nothing new goes there; the 1 in flight may finish\. \[y\/n\]$/m)
  await terminal.press('n')
  await terminal.shows(/^left as it is$/m)
  await terminal.press('d', 'y')
  await terminal.shows(/^> app\/a +draining +100% +1 /m)
  await terminal.shows(/^drain app\/a: /m)
  assert.match(await terminal.shows(/1 of 2 serve/), /^ {2}app\/b +up /m)

  // The last one: refused, until it is said again.
  await terminal.press('Down', 'm', 'y')
  await terminal.shows(/Refused: app\/b is the last usable server of app.*Do it all\s+the same\? \[y\/n\]/s)
  await terminal.press('n')
  await terminal.press('Up', 'r', 'y')
  await terminal.shows(/^> app\/a +up /m)
  gate.next()
  await terminal.shows(/^> app\/a +up +100% +0 /m)

  await terminal.press('w', '5', '0', '%', 'Enter')
  await terminal.shows(/Set the weight of app\/a to 50%\? \[y\/n\]/)
  await terminal.press('y')
  await terminal.shows(/^> app\/a +up +50% /m)
  await terminal.press('w', '100%', 'Enter', 'y')
  await terminal.shows(/^> app\/a +up +100% /m)
  await terminal.press('q')
  await assertLeft(terminal, 0)
})

test('it follows the size of the terminal, filters, helps, and ends on Ctrl-C', async (t) => {
  const terminal = await top(t)
  if (terminal === undefined) return
  await terminal.shows(/^> app\/a .*\n {2}app\/b /m)
  await terminal.resize(50, 9)
  const small = await terminal.shows(/^q quit.*…$/m)
  assert.equal(small.trimEnd().split('\n').length, 9)
  await terminal.resize(140, 40)
  await terminal.press('/', 'app/b', 'Enter')
  assert.doesNotMatch(await terminal.shows(/^only servers with "app\/b"$/m), /app\/a/)
  await terminal.press('?')
  await terminal.shows(/drain it: nothing new goes there/)
  await terminal.press('C-c')
  await assertLeft(terminal, 130)
})

test('a signal leaves the terminal clean, too, and Ctrl-Z gives it back for a while', async (t) => {
  const terminal = await top(t)
  if (terminal === undefined) return
  await terminal.shows(/^> app\/a /m)
  await terminal.press('C-z')
  await terminal.shows(/^\$\s*$/m)
  assert.deepEqual(await terminal.state(), { isAlternate: false, hasCursor: true })
  await terminal.press('fg; echo "ended with $?"', 'Enter')
  await terminal.shows(/^> app\/a /m)
  assert.deepEqual(await terminal.state(), { isAlternate: true, hasCursor: false })
  process.kill(theTop(), 'SIGTERM')
  await assertLeft(terminal, 130)
})

/** The process of the one `weir top` that runs on this balancer. */
function theTop(): number {
  const own = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isTop(name))
  assert.equal(own.length, 1)
  return Number(own[0])
}

function isTop(pid: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return words.includes(MAIN) && words.includes('top') && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(weir.folder)
  } catch {
    return false
  }
}

test('where there is no screen it prints the same once, and JSON for machines', async () => {
  const { code, stdout } = await command(weir, 'top')
  assert.equal(code, 0)
  assert.match(stdout, /^weir \S+, generation \d+, up /)
  assert.match(stdout, /^ {2}app\/a +up +100% /m)
  assert.ok(!stdout.includes('\u001b'))
  const json = await command(weir, 'top', '--json', '--once', '--window', '1m')
  const { schema, data } = JSON.parse(json.stdout) as { schema: string; data: LiveView }
  assert.deepEqual([schema, data.window, data.upstreams[0]?.servers.map(({ id }) => id)], ['weir.live/1', '1m', ['app/a', 'app/b']])
  assert.equal((await command(weir, 'top', '--window', '2h')).code, 2)
})

test('a dumb terminal gets one frame, in ASCII where the locale says no more', async (t) => {
  const terminal = await top(t, '', { TERM: 'dumb', LC_ALL: 'C' })
  if (terminal === undefined) return
  const screen = await terminal.shows(/^ended with 0$/m)
  assert.match(screen, /^ {2}app\/b +up /m)
  assert.doesNotMatch(screen, /[^ -~\n]/)
})

test('without a weir it says so and touches no terminal', async (t) => {
  const terminal = await top(t, '--socket /nowhere')
  if (terminal === undefined) return
  const screen = await terminal.shows(/^ended with 3$/m)
  assert.match(screen, /weir: no control socket at \/nowhere/)
})
