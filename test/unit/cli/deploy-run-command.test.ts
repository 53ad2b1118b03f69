import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ShellCommand } from '../../../src/cli/deploy/effects.ts'
import { runShellCommand } from '../../../src/cli/deploy/run-command.ts'
import { isRunning } from '../../scenario/lib/processes.ts'
import { timed, until } from '../../scenario/lib/wait.ts'

const never = new AbortController().signal

function run(text: string, options: Partial<ShellCommand> = {}, hurry = never) {
  const lines: string[] = []
  const end = runShellCommand(
    { text, env: {}, timeoutMs: 20_000, signal: never, ...options, onLine: (line) => void lines.push(line) },
    hurry,
  )
  return { end, lines }
}

/** The process ids that a command printed. */
const pidsIn = (lines: string[]) => lines.join(' ').match(/\d+/g)?.map(Number) ?? []

test('a command has its own variables and those of the caller, no input, and its lines are passed on', async () => {
  const { end, lines } = run('echo "$WEIR_SERVER $HOME"; cat; printf "no end" >&2; exit 3', { env: { WEIR_SERVER: 'api/a' } })
  assert.deepEqual(await end, { kind: 'exit', code: 3 })
  assert.deepEqual(lines.sort(), [`api/a ${process.env['HOME']}`, 'no end'])
})

test('a command that a signal ends says so', async () => {
  assert.deepEqual(await run('kill -9 $$').end, { kind: 'signal', signal: 'SIGKILL' })
})

test('a hanging command is ended at its timeout, with its children', async () => {
  const { end, lines } = run('sleep 1000 & echo $! $$; wait', { timeoutMs: 300 })
  assert.deepEqual(await end, { kind: 'late' })
  assert.equal(pidsIn(lines).length, 2)
  for (const pid of pidsIn(lines)) assert.ok(!isRunning(pid), `${pid} runs on`)
})

test('a child that does not listen to TERM is killed after the grace, also when the shell is gone before', async () => {
  const { end, lines } = run("(trap '' TERM; echo up; while :; do sleep 0.05; done) & echo $!; wait", { timeoutMs: 400 })
  const { value, ms } = await timed(end)
  assert.deepEqual(value, { kind: 'late' })
  assert.ok(ms > 4_000, `killed after ${ms} ms`)
  assert.ok(pidsIn(lines).every((pid) => !isRunning(pid)))
})

test('Ctrl-C ends a command, and a second one does not wait for TERM to work', async () => {
  const [first, second] = [new AbortController(), new AbortController()]
  const { end, lines } = run("trap '' TERM; echo $$; while :; do sleep 0.05; done", { signal: first.signal }, second.signal)
  await until(() => lines.length > 0)
  first.abort()
  setTimeout(() => second.abort(), 100)
  const { value, ms } = await timed(end)
  assert.deepEqual(value, { kind: 'stopped' })
  assert.ok(ms < 3_000, `it took ${ms} ms`)
  assert.ok(!isRunning(pidsIn(lines)[0] ?? 0))
})

test('a stopped process is ended, too', async () => {
  const { end, lines } = run('echo $$; kill -STOP $$', { timeoutMs: 300 })
  assert.deepEqual(await end, { kind: 'late' })
  assert.ok(!isRunning(pidsIn(lines)[0] ?? 0))
})

test('what a command leaves running in the background is not waited for, nor ended', async () => {
  const { end, lines } = run('sleep 30 & echo $!')
  const { value, ms } = await timed(end)
  assert.deepEqual(value, { kind: 'exit', code: 0 })
  assert.ok(ms < 5_000)
  const [pid = 0] = pidsIn(lines)
  assert.ok(isRunning(pid))
  process.kill(pid)
})

test('a command is not begun after Ctrl-C', async () => {
  assert.deepEqual(await run('echo x', { signal: AbortSignal.abort() }).end, { kind: 'stopped' })
})

test('a very long line is passed on in parts', async () => {
  const { end, lines } = run('head -c 300000 /dev/zero | tr "\\0" x')
  await end
  assert.equal(lines.join('').length, 300_000)
  assert.ok(lines.length > 1)
})
