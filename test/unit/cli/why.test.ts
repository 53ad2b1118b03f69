import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endingOf } from '../../../src/cli/why/endings.ts'
import type { WhyData } from '../../../src/shared/control/record-data.ts'
import { terminationWords } from '../../../src/shared/termination.ts'
import { weirAt } from './lib/command.ts'
import { answer, failure, fakeControl } from './lib/fake-control.ts'

const story: WhyData = {
  record: {
    ...{ time: '2026-01-31T12:00:01.234Z', kind: 'exchange', worker: 2, requestId: 'r-1', client: '10.0.0.7', listener: 'web' },
    ...{ method: 'GET', host: 'a.example', path: '/v1', status: 200, termination: 'ok', upstream: 'api', server: 'b', attempts: 2 },
    ...{ bytesIn: 80, bytesOut: 1_204, connectUs: 1_000, firstByteUs: 4_000, totalUs: 8_000, overheadUs: 90, route: '/v1/' },
    failedAttempts: [{ server: 'api/a', reason: 'connect', error: 'ECONNREFUSED', atUs: 2_000 }],
  },
  count: 1,
  servers: [
    {
      id: 'api/a',
      atFirst: { atMs: -5_000, state: 'up', why: '' },
      later: [{ atMs: 300, state: 'down', why: 'L4CON connection refused' }],
    },
    { id: 'api/b', atFirst: { atMs: -5_000, state: 'up', why: '' }, later: [] },
  ],
}

test('why tells the story of a request', async (t) => {
  const control = await fakeControl(t, { why: [answer('why', story)] })
  const { code, out } = await weirAt(control, ['why', 'r-1'])
  assert.equal(code, 0)
  assert.deepEqual(control.requests, [{ verb: 'why', id: 'r-1' }])
  for (const line of [
    /^GET a\.example\/v1$/m,
    /^from 10\.0\.0\.7 on listener web, worker 2$/m,
    /^ +0 us +it came, and took the route \/v1\/, for upstream api$/m,
    /^ +2\.0 ms +api\/a failed: no connection: connection refused$/m,
    /^ +8\.0 ms +answered with 200 by api\/b on a new connection, after 2 attempts: 80 bytes from the client, 1,204 bytes to it$/m,
    /^ +failed attempts +2\.0 ms +████████$/m,
    /^ +until the first byte +4\.0 ms +█{16}$/m,
    /^ +of it added by weir +90 us$/m,
    /^api\/a +up +for 5 s +down 300 ms later \(L4CON connection refused\)$/m,
    /^ +ok: The response was passed on to its end\.$/m,
  ])
    assert.match(out, line)
})

test('an answer of weir itself, a client that left, and what to do about it', async (t) => {
  const { server, firstByteUs, connectUs, failedAttempts, ...record } = story.record
  const own = { ...story, record: { ...record, status: 503, termination: 'no_server', attempts: 0 } }
  const control = await fakeControl(t, { why: [answer('why', own)] })
  const { out } = await weirAt(control, ['why', 'r-1'])
  assert.match(out, /answered with 503 by weir itself: /)
  assert.match(out, /no_server: No server of the upstream could be used at that time\.\n.*weir status says why/)
})

test('each way to end has an explanation', () => {
  for (const word of terminationWords) assert.ok((endingOf(word)?.meaning ?? '') !== '', word)
  assert.equal(endingOf('of_a_later_version'), null)
})

test('what a client sent does not steer the terminal', async (t) => {
  const hostile = '\u001b[2J\u009b\u202e\nx'
  const evil = {
    ...story,
    record: { ...story.record, path: hostile, userAgent: hostile, requestId: hostile, client: hostile, headers: { a: hostile } },
  }
  const control = await fakeControl(t, { why: [answer('why', evil)] })
  const steering = /[^\n -~\u00a1-\u{10ffff}]|\u202e/u
  assert.doesNotMatch((await weirAt(control, ['why', 'r-1'])).out, steering)
  const json = await weirAt(control, ['why', 'r-1', '--json'])
  assert.doesNotMatch(json.out, steering)
  assert.deepEqual((JSON.parse(json.out) as { data: WhyData }).data.record.path, hostile)
})

test('an id that nothing is kept of has exit code 4', async (t) => {
  const control = await fakeControl(t, { why: [failure('not-kept', 'no request with the id "x" is known: …')] })
  assert.deepEqual(await weirAt(control, ['why', 'x']), { code: 4, out: '', err: 'weir: no request with the id "x" is known: …\n' })
})
