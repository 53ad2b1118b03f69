import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../scenario/lib/wait.ts'
import { weir, weirAt } from './lib/command.ts'
import { answer, failure, fakeControl, progress } from './lib/fake-control.ts'
import { waited } from './lib/samples.ts'

test('wait says when the condition is true', async (t) => {
  const control = await fakeControl(t, {
    wait: ({ condition }) => [answer('wait', waited({ condition: condition as 'up', goodChecks: 3, waitedMs: 850 }))],
  })
  assert.equal((await weirAt(control, ['wait', 'api/a', 'drained'])).out, 'api/a is drained after 850 ms\n')
  assert.equal((await weirAt(control, ['wait', 'api/a', 'up', '--for', '2m'])).out, 'api/a is up after 850 ms\n')
  assert.equal(
    (await weirAt(control, ['wait', 'api/a', 'checked', '--checks', '3'])).out,
    'api/a had 3 good checks in a row after 850 ms\n',
  )
  assert.deepEqual(control.requests, [
    { verb: 'wait', server: 'api/a', condition: 'drained', timeoutMs: 30_000 },
    { verb: 'wait', server: 'api/a', condition: 'up', timeoutMs: 120_000 },
    { verb: 'wait', server: 'api/a', condition: 'checked', timeoutMs: 30_000, checks: 3 },
  ])
})

test('a condition that is not true in time has exit code 4, with what is missing', async (t) => {
  const control = await fakeControl(t, { wait: [failure('late', 'api/a is not up after 30s: L4CON connection refused')] })
  const late = await weirAt(control, ['wait', 'api/a', 'up'])
  assert.deepEqual(late, { code: 4, out: '', err: 'weir: api/a is not up after 30s: L4CON connection refused\n' })
  const json = await weirAt(control, ['wait', 'api/a', 'up', '--json'])
  assert.deepEqual(json, { code: 4, out: `${control.lines.at(-1)}\n`, err: '' })
})

test('an answer that says it is not met has exit code 4, too', async (t) => {
  const data = { isMet: false, waitedMs: 30_000, goodChecks: 1, remaining: { inFlight: 3, tunnels: 1 } }
  const control = await fakeControl(t, { wait: ({ condition }) => [answer('wait', waited({ ...data, condition: condition as 'up' }))] })
  for (const [condition, missing] of [
    ['drained', '3 in flight, 1 of them a tunnel'],
    ['checked', '1 good check in a row'],
  ] as const) {
    const { code, out, err } = await weirAt(control, ['wait', 'api/a', condition])
    assert.deepEqual([code, out, err], [4, '', `weir: api/a is not ${condition} after 30 s: ${missing}\n`])
  }
  const json = await weirAt(control, ['wait', 'api/a', 'up', '--json'])
  assert.deepEqual(json, { code: 4, out: `${control.lines.at(-1)}\n`, err: '' })
})

test('Ctrl-C ends a wait with exit code 130, and the connection with it', async (t) => {
  const control = await fakeControl(t, { wait: [progress(waited({ isMet: false, condition: 'checked', goodChecks: 1 })), 'silence'] })
  const { code, err } = await weirAt(control, ['wait', 'api/a', 'checked'], {
    onErr: (text, interrupt) => text.startsWith('waiting') && setImmediate(interrupt),
  })
  assert.deepEqual([code, err], [130, 'waiting for api/a: 1 good check in a row\nweir: interrupted: weir wait has changed nothing\n'])
  await until(() => control.open === 0, { what: 'the connection is closed' })
})

test('conditions and times are checked before anybody is asked', async () => {
  for (const [words, message] of [
    [['wait', 'api/a', 'gone'], /Choices: "drained", "up", "checked"/],
    [['wait', 'api/a'], /an argument is missing/],
    [['wait', 'api/a', 'up', '--for', '30'], /--for: expected a unit after the number/],
    [['wait', 'api/a', 'up', '--checks', '3'], /--checks goes with the condition "checked"/],
    [['wait', 'api/a', 'checked', '--checks', '0'], /--checks: expected a whole number from 1 to 1000/],
  ] satisfies [string[], RegExp][]) {
    const { code, err } = await weir(words)
    assert.equal(code, 2)
    assert.match(err, message)
  }
})
