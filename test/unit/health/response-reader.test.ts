import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ReadOutcome, ResponseReader } from '../../../src/primary/health/response-reader.ts'

/** Gives the bytes in pieces of this size, then closes where `closes`. */
function read(text: string, { size = 65_536, method = 'GET', closes = false } = {}) {
  const reader = new ResponseReader({ method, keepsBody: true })
  const bytes = Buffer.from(text, 'latin1')
  let outcome: ReadOutcome = { at: 'more' }
  for (let at = 0; at < bytes.length && outcome.at === 'more'; at += size) outcome = reader.push(bytes.subarray(at, at + size))
  if (outcome.at === 'more' && closes) outcome = reader.close()
  const { status, isReusable, idleMs } = reader
  return { outcome, status, isReusable, idleMs, body: reader.body().toString('latin1') }
}

const good: [what: string, text: string, body: string][] = [
  ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: x\r\n\r\nhello', 'hello'],
  ['a length twice, the same', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\nok', 'ok'],
  ['no body', 'HTTP/1.1 204\r\n\r\n', ''],
  ['a status that has no body', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', ''],
  ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n', 'abc0123456789'],
  ['chunks and trailers', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n', 'a'],
  [
    'interim answers first',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    'ok',
  ],
]

for (const [what, text, body] of good) {
  test(`reads an answer with ${what}, however it is cut`, () => {
    for (const size of [65_536, 1, 2, 3, 7]) {
      const answer = read(text, { size })
      assert.deepEqual(answer.outcome, { at: 'whole' })
      assert.equal(answer.body, body)
      assert.equal(answer.isReusable, true)
    }
  })
}

test('an answer without a length ends with the connection, which is not used again', () => {
  const text = 'HTTP/1.1 200 OK\r\n\r\nall of it'
  assert.deepEqual(read(text).outcome, { at: 'more' })
  const answer = read(text, { closes: true })
  assert.deepEqual([answer.outcome, answer.body, answer.isReusable], [{ at: 'whole' }, 'all of it', false])
})

test('a HEAD request has no body in its answer', () => {
  assert.deepEqual(read('HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n', { method: 'HEAD' }).outcome, { at: 'whole' })
})

const faults: [what: string, text: string, reason: RegExp][] = [
  ['TLS', '\x15\x03\x01\x00\x02\x02\x46', /no HTTP/],
  ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n', /no HTTP/],
  ['HTTP/2', 'HTTP/2 200\r\n\r\n', /no HTTP/],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', /no HTTP/],
  ['a status that does not exist', 'HTTP/1.1 999 OK\r\n\r\n', /no HTTP/],
  ['another protocol after an upgrade', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n', /another protocol/],
  ['a space before the colon', 'HTTP/1.1 200 OK\r\nA : b\r\n\r\n', /no valid head/],
  ['a folded line', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n', /no valid head/],
  ['a bare line feed', 'HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n', /no valid head/],
  ['a NUL', 'HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n', /no valid head/],
  ['lengths that differ', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc', /framing/],
  ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', /framing/],
  ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n', /framing/],
  ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n', /framing/],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', /framing/],
  ['a chunk size that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n', /chunks/],
  ['a chunk that is longer than it says', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n', /chunks/],
  ['an endless chunk size', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(5000)}`, /chunks/],
  ['a length above 1 MiB', 'HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n', /1 MiB/],
  ['endless chunks', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\na\r\n'.repeat(200_000)}`, /1 MiB/],
  ['an endless body', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1_048_577)}`, /1 MiB/],
  ['an endless head', `HTTP/1.1 200 OK\r\n${'X-A: b\r\n'.repeat(5000)}`, /16 KiB/],
  ['endless interim answers', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(20), /interim/],
]

for (const [what, text, reason] of faults) {
  test(`refuses ${what}, however it is cut`, () => {
    for (const size of [65_536, 1, 5]) {
      if (size < 65_536 && text.length > 100_000) continue
      const { outcome } = read(text, { size })
      assert.equal(outcome.at, 'fault')
      assert.match(outcome.at === 'fault' ? outcome.reason : '', reason)
    }
  })
}

test('an end that comes too early is told by where it came', () => {
  const reasons = ['', 'HTTP/1.1 2', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na'].map((text) => read(text, { closes: true }).outcome)
  assert.deepEqual(
    reasons.map((outcome) => outcome.at === 'fault' && outcome.reason),
    ['closed without an answer', 'closed within the head of the answer', 'the answer broke off'],
  )
})

test('a connection is kept only when both sides agree and nothing follows the answer', () => {
  assert.equal(read('HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n').isReusable, false)
  assert.equal(read('HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n').isReusable, false)
  assert.equal(read('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n').isReusable, false)
  assert.equal(read('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=100\r\nContent-Length: 0\r\n\r\n').idleMs, 5000)
})

test('only the first 64 KiB of a body are kept', () => {
  assert.equal(read(`HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n${'x'.repeat(200_000)}`, { size: 1000 }).body.length, 65_536)
})

test('no bytes make it throw, and how they are cut changes nothing', () => {
  const piece = fc.constantFrom(
    'HTTP/1.1 200 OK\r\n',
    'Content-Length: 3\r\n',
    'Transfer-Encoding: chunked\r\n',
    '\r\n',
    '3\r\nabc\r\n',
    '0\r\n\r\n',
    'abc',
    '\n',
    ':',
    '\0',
  )
  fc.assert(
    fc.property(
      fc.array(fc.oneof(piece, fc.string({ maxLength: 5 })), { maxLength: 12 }),
      fc.integer({ min: 1, max: 9 }),
      (pieces, size) => {
        const text = pieces.join('')
        const cut = read(text, { size, closes: true })
        const uncut = read(text, { closes: true })
        assert.deepEqual([cut.outcome.at, cut.status, cut.body], [uncut.outcome.at, uncut.status, uncut.body])
      },
    ),
  )
})
