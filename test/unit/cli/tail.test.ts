import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogRecord } from '../../../src/shared/control/record-data.ts'
import { until } from '../../scenario/lib/wait.ts'
import { weir, weirAt } from './lib/command.ts'
import { answer, failure, fakeControl, progress } from './lib/fake-control.ts'

const good: LogRecord = {
  ...{ time: '2026-01-31T12:00:01.234Z', kind: 'exchange', method: 'GET', host: 'a.example', path: '/v1', query: 'x=1', status: 200 },
  ...{ termination: 'ok', upstream: 'api', server: 'a', attempts: 1, totalUs: 12_345, overheadUs: 80 },
}
const bad: LogRecord = { ...good, status: 503, termination: 'no_server', attempts: 3, totalUs: 900 }
const tunnel: LogRecord = {
  kind: 'tunnel',
  protocol: 'tcp',
  listener: 'db',
  upstream: 'pg',
  server: 'one',
  totalUs: 2_500_000,
  termination: 'ok',
}

/** Everything that steers a terminal or turns its text, in every field that a client or a server fills. */
const hostile = '\u001b[31m\u009b2J\u0007\r\n\u202e\u2066\u200f\u2028\u007f\u0085\u{e0041}x'
const evil: LogRecord = {
  ...good,
  ...{ method: hostile, host: hostile, path: `/${hostile}`, query: hostile, userAgent: hostile, referer: hostile, requestId: hostile },
  ...{ termination: hostile, client: hostile, server: hostile, upstream: hostile, headers: { [hostile]: hostile } },
}
const steering = /[^\n -~\u00a0-\u{10ffff}]|[\u202e\u2066\u200f\u2028\u{e0041}]/u

test('each record is a line with what happened, where and how long', async (t) => {
  const control = await fakeControl(t, {
    tail: [progress({ records: [], lost: 0 }), progress({ records: [good, bad, tunnel], lost: 0 }), answer('tail', { sent: 3, lost: 0 })],
  })
  const { code, out, err } = await weirAt(control, ['tail', '--limit', '3', '--where', 'status>=200'])
  assert.deepEqual([code, err], [0, ''])
  const lines = out.trimEnd().split('\n')
  assert.match(lines[0] ?? '', /^\d\d:\d\d:01\.234 200 {2}12\.3 ms {3}\+0\.08 api\/a {11} {2}GET a\.example\/v1\?x=1$/)
  assert.match(lines[1] ?? '', / 503 {3}900 us .* GET a\.example\/v1\?x=1 {2}no_server, 3 attempts$/)
  assert.match(lines[2] ?? '', /^--:--:--\.--- tcp {4}2\.5 s {9}pg\/one .* tcp connection on db$/)
  assert.deepEqual(control.requests, [{ verb: 'tail', where: 'status>=200', limit: 3 }])
})

test('nothing that a client sends steers the terminal, as text or as JSON', async (t) => {
  const control = await fakeControl(t, { tail: [progress({ records: [evil], lost: 0 }), answer('tail', { sent: 1, lost: 0 })] })
  const text = await weirAt(control, ['tail'])
  assert.doesNotMatch(text.out, steering)
  assert.equal(text.out.split('\n').length, 2)
  const json = await weirAt(control, ['tail', '--json'])
  assert.doesNotMatch(json.out, steering)
  assert.deepEqual(JSON.parse(json.out), evil)
})

test('long lines end where the screen does', async (t) => {
  const long = { ...good, path: `/${'x'.repeat(5_000)}` }
  const control = await fakeControl(t, { tail: [progress({ records: [long], lost: 0 }), answer('tail', { sent: 1, lost: 0 })] })
  const { out } = await weirAt(control, ['tail'], { outWidth: 100 })
  assert.ok(out.length <= 101, `${out.length}`)
})

test('what came too fast is counted on standard error', async (t) => {
  const batches = [
    progress({ records: [good], lost: 1 }),
    progress({ records: [good], lost: 1_205 }),
    answer('tail', { sent: 2, lost: 1_205 }),
  ]
  const control = await fakeControl(t, { tail: batches })
  const { out, err } = await weirAt(control, ['tail', '--json'])
  assert.equal(out.split('\n').length, 3)
  assert.equal(
    err,
    'weir: 1 request is not shown: they came faster than they were read\nweir: 1,204 requests are not shown: they came faster than they were read\n',
  )
})

test('a mistake in the expression is shown with its place before anybody is asked', async () => {
  const { code, err } = await weir(['tail', '--where', 'status>=500 && upstrem=api'])
  assert.equal(code, 2)
  assert.equal(
    err,
    [
      'weir: --where: no field is named "upstrem", did you mean "upstream"?',
      '  status>=500 && upstrem=api',
      '                 ^',
      'Try "weir tail --help".',
      '',
    ].join('\n'),
  )
})

test('Ctrl-C ends the stream with 130 and without a word; a stream that breaks says why', async (t) => {
  const control = await fakeControl(t, { tail: [progress({ records: [good], lost: 1 }), 'silence'] })
  const { code, err } = await weirAt(control, ['tail'], { onErr: (text, interrupt) => /not shown/.test(text) && setImmediate(interrupt) })
  assert.equal(code, 130)
  assert.doesNotMatch(err, /interrupted/)
  await until(() => control.open === 0)
  const broken = await fakeControl(t, { tail: [failure('failed', 'the stream ended: x')] })
  assert.deepEqual(await weirAt(broken, ['tail']), { code: 1, out: '', err: 'weir: the stream ended: x\n' })
})
