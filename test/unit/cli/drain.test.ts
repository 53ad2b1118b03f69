import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommandLine } from '../../../src/cli/cli.ts'
import { testTerminal, weirAt } from './lib/command.ts'
import { answer, failure, fakeControl, progress } from './lib/fake-control.ts'
import { change, server, waited } from './lib/samples.ts'

const drained = (inFlight: number) =>
  answer('drain', change('api/a drains', [server('api/a', { state: 'draining', admin: 'drain', inFlight })]))
const lateWords = 'api/a is not empty after 30s: 3 in flight, 1 tunnel among them'
const left = (inFlight: number, tunnels = 0, waitedMs = 1_000) => waited({ isMet: false, remaining: { inFlight, tunnels }, waitedMs })

test('drain sends what the options say, and says what was done', async (t) => {
  const control = await fakeControl(t, { drain: [drained(3)] })
  assert.deepEqual(await weirAt(control, ['drain', 'api/a']), { code: 0, out: 'api/a drains\n', err: '' })
  await weirAt(control, ['drain', 'api/a', '--strict', '--force'])
  assert.deepEqual(control.requests, [
    { verb: 'drain', server: 'api/a' },
    { verb: 'drain', server: 'api/a', strict: true, force: true },
  ])
})

test('drain --dry-run waits for nothing', async (t) => {
  const data = change('api/a would drain', [server('api/a')], { changed: false, dryRun: true })
  const control = await fakeControl(t, { drain: [answer('drain', data)] })
  const { code, out } = await weirAt(control, ['drain', 'api/a', '--dry-run', '--wait', '1s', '--cut'])
  assert.deepEqual([code, out], [0, 'dry run: api/a would drain\n'])
  assert.deepEqual(control.requests, [{ verb: 'drain', server: 'api/a', dryRun: true }])
})

test('drain --wait ends when nothing is in flight, and says how long that took and what finished', async (t) => {
  const control = await fakeControl(t, {
    drain: [drained(17)],
    wait: [progress(left(9, 2)), progress(left(2, 2)), answer('wait', waited())],
  })
  const { code, out, err } = await weirAt(control, ['drain', 'api/a', '--wait', '30s'])
  assert.deepEqual([code, out], [0, 'api/a drains\napi/a is drained after 4.2 s (17 exchanges finished)\n'])
  assert.equal(err, 'waiting for api/a: 9 in flight, 2 of them tunnels\nwaiting for api/a: 2 tunnels\n')
  assert.deepEqual(control.requests[1], { verb: 'wait', server: 'api/a', condition: 'drained', timeoutMs: 30_000 })
})

test('on a terminal one line is written anew, and cleared at the end', async (t) => {
  const control = await fakeControl(t, { drain: [drained(9)], wait: [progress(left(9)), progress(left(8)), answer('wait', waited())] })
  const { err } = await weirAt(control, ['drain', 'api/a', '--wait', '30s'], { errWidth: 80 })
  const line = (count: number) => `\r\u001b[Kwaiting for api/a: ${count} in flight, 1 s of 30 s`
  assert.equal(err, `${line(9)}${line(8)}\r\u001b[K`)
})

test('the line never gets longer than a terminal is wide', async (t) => {
  const control = await fakeControl(t, { drain: [drained(9)], wait: [progress(left(9)), answer('wait', waited())] })
  const { err } = await weirAt(control, ['drain', 'api/a', '--wait', '30s'], { errWidth: 20 })
  assert.equal(err, '\r\u001b[Kwaiting for api/a:…\r\u001b[K')
})

test('--wait without a time is 30 seconds', async (t) => {
  const control = await fakeControl(t, { drain: [drained(0)], wait: [answer('wait', waited({ waitedMs: 0 }))] })
  const { code, out } = await weirAt(control, ['drain', 'api/a', '--wait'])
  assert.deepEqual([code, out], [0, 'api/a is drained after 0 ms\n'])
  assert.equal(control.requests[1]?.['timeoutMs'], 30_000)
})

test('when the time is over, the exit code is 4 and what remains is named', async (t) => {
  const control = await fakeControl(t, { drain: [drained(5)], wait: [progress(left(3, 1)), failure('late', lateWords)] })
  const { code, out, err } = await weirAt(control, ['drain', 'api/a', '--wait', '30s'], { errWidth: 80 })
  assert.deepEqual([code, out], [4, 'api/a drains\n'])
  assert.ok(err.endsWith(`\r\u001b[Kweir: ${lateWords}; it goes on draining, and "weir ready api/a" gives it traffic again\n`), err)
})

test('with --cut what remains is cut at the deadline, and the exit code is 0', async (t) => {
  let waits = 0
  const control = await fakeControl(t, {
    drain: [drained(3)],
    wait: () => [++waits === 1 ? failure('late', lateWords) : answer('wait', waited({ waitedMs: 100 }))],
    cut: [answer('cut', { server: 'api/a', dryRun: false, cut: 3 })],
  })
  const { code, out, err } = await weirAt(control, ['drain', 'api/a', '--wait', '30s', '--cut'])
  assert.deepEqual([code, out, err], [0, 'api/a drains\napi/a is drained after 30.1 s (3 connections cut)\n', ''])
  assert.deepEqual(
    control.requests.map(({ verb }) => verb),
    ['drain', 'wait', 'cut', 'wait'],
  )
})

test('what cannot be cut in time is an error, too', async (t) => {
  const cut = [answer('cut', { server: 'api/a', dryRun: false, cut: 1 })]
  const control = await fakeControl(t, { drain: [drained(3)], wait: [failure('late', lateWords)], cut })
  const { code, err } = await weirAt(control, ['drain', 'api/a', '--wait', '30s', '--cut'])
  assert.deepEqual([code, err.split(';')[0]], [4, `weir: ${lateWords}`])
})

test('--cut without --wait cuts at once', async (t) => {
  const control = await fakeControl(t, { drain: [drained(0)], wait: [answer('wait', waited({ waitedMs: 0 }))] })
  assert.equal((await weirAt(control, ['drain', 'api/a', '--cut'])).code, 0)
  assert.equal(control.requests[1]?.['timeoutMs'], 0)
})

test('--json prints one envelope, the last, as it came', async (t) => {
  const control = await fakeControl(t, { drain: [drained(5)], wait: [progress(left(1)), answer('wait', waited())] })
  const { code, out, err } = await weirAt(control, ['drain', 'api/a', '--wait', '--json'])
  assert.deepEqual([code, out, err], [0, `${control.lines.at(-1)}\n`, ''])
})

test('--json prints the error of a wait that was too short, with exit code 4', async (t) => {
  const control = await fakeControl(t, { drain: [drained(5)], wait: [failure('late', lateWords)] })
  const { code, out, err } = await weirAt(control, ['drain', 'api/a', '--wait', '--json'])
  assert.deepEqual([code, out, err], [4, `${control.lines.at(-1)}\n`, ''])
})

test('a refusal has exit code 5 and the words of weir', async (t) => {
  const line = failure('refused', 'api/a is the last usable server of api; --force drains it all the same')
  const control = await fakeControl(t, { drain: [line] })
  assert.deepEqual(await weirAt(control, ['drain', 'api/a', '--wait']), {
    code: 5,
    out: '',
    err: 'weir: api/a is the last usable server of api; --force drains it all the same\n',
  })
  assert.deepEqual(await weirAt(control, ['drain', 'api/a', '--json']), { code: 5, out: `${line}\n`, err: '' })
})

test('Ctrl-C ends the wait with exit code 130, and says that the server drains and how to undo it', async (t) => {
  const control = await fakeControl(t, { drain: [drained(5)], wait: [progress(left(5)), 'silence'] })
  const { code, err } = await weirAt(control, ['drain', 'api/a', '--wait'], {
    onErr: (text, interrupt) => text.startsWith('waiting') && setImmediate(interrupt),
  })
  assert.equal(code, 130)
  assert.match(
    err,
    /weir: interrupted: api\/a goes on draining \(5 in flight when last heard\); "weir ready api\/a" gives it traffic again\n$/,
  )
})

test('Ctrl-C before the answer says that nobody knows', async (t) => {
  const control = await fakeControl(t, {
    drain: () => {
      setImmediate(interrupt)
      return ['silence']
    },
  })
  const { terminal, outcome, interrupt } = testTerminal()
  await runCommandLine(['node', 'weir', 'drain', 'api/a', '--socket', control.path], terminal)
  assert.equal(outcome.code, 130)
  assert.match(outcome.err, /interrupted before weir has answered: "weir status" shows whether api\/a drains/)
})
