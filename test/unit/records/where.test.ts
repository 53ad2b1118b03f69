import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RecordLine } from '../../../src/shared/records/record-line.ts'
import { parseWhere } from '../../../src/shared/records/where.ts'
import { longestExpression, WhereError } from '../../../src/shared/records/where-tokens.ts'

const record: RecordLine = {
  ...{ kind: 'exchange', requestId: 'r1', client: '10.0.0.7', method: 'GET', host: 'a.example', path: '/v1/users', query: 'x=1' },
  ...{ status: 502, termination: 'upstream_reset', upstream: 'api', server: 'b', attempts: 2, isReused: true, bytesOut: 2_048 },
  ...{ totalUs: 250_300, firstByteUs: 240_000, overheadUs: 85, headers: { 'x-user': 'ada' } },
  failedAttempts: [{ server: 'api/a', reason: 'connect', error: 'ECONNREFUSED', atUs: 900 }],
}

const fits = (text: string, of: RecordLine = record) => parseWhere(text).matches(of)

test('comparisons of numbers, texts, durations, sizes and flags', () => {
  const yes = [
    ...['status=502', 'status==502', 'status>=500', 'status=5xx', 'status!=4xx', 'status>4xx', 'status<=5xx', 'upstream=api', 'server=b'],
    ...['server=api/b', 'server!=api/a', 'total>200ms', 'total<0.5s', 'total>=250300us', 'overhead<1ms', 'overheadUs=85us', 'queue=0ms'],
    ...['bytesOut>=2KiB', 'bytesIn=0', 'isReused', 'isReused=true', '!isHedged', 'isHedged=false', 'isHedged!=true', 'method=GET'],
    ...['path~^/v1/', 'url~"x=\\d$"', "host~'^a\\.'", 'header.x-user=ada', 'failedAttempts=1', 'reason=connect', 'id=r1', 'attempts>1'],
    ...['client!=10.0.0.8', 'referer!=x', 'query', 'path="/v1/users"', '', '   '],
  ]
  for (const text of yes) assert.equal(fits(text), true, text)
  const no = [
    'status=404',
    'status<5xx',
    'total>1s',
    'server=a',
    'upstream!=api',
    'isHedged',
    '!isReused',
    'path~^/v2',
    'referer=x',
    'header.y',
  ]
  for (const text of no) assert.equal(fits(text), false, text)
})

test('&& binds tighter than ||, ! binds tightest, parentheses group', () => {
  assert.equal(fits('status=502 || status=1 && status=2'), true)
  assert.equal(fits('(status=502 || status=1) && status=2'), false)
  assert.equal(fits('!status=1 && !(status=502 && upstream=db)'), true)
  assert.equal(fits('!!(status=502)'), true)
})

test('a text is compared whole, and quotes hold what would mean something else', () => {
  const odd = { path: '/a b&&(c)', userAgent: 'say "hi"' }
  assert.equal(fits('path="/a b&&(c)"', odd), true)
  assert.equal(fits(`userAgent='say "hi"'`, odd), true)
  assert.equal(fits('userAgent="say \\"hi\\""', odd), true)
  assert.equal(fits('path=/a', odd), false)
})

test('a mistake says what is wrong, and where', () => {
  for (const [text, at, message] of [
    ['status>=500 && upstrem=api', 15, /no field is named "upstrem", did you mean "upstream"\?/],
    ['status>=', 8, /expected a value behind >=/],
    ['status>=abc', 8, /expected a whole number, or a class such as 5xx, found "abc"/],
    ['total>200', 6, /expected a unit after the number/],
    ['bytesOut>x', 9, /a number of bytes/],
    ['upstream>api', 9, /a text is compared by =, != or ~, not by >/],
    ['isReused=yes', 9, /expected true or false/],
    ['path~"("', 5, /no regular expression/],
    ['(status=500', 0, /this parenthesis is not closed/],
    ['status=500)', 10, /closes none/],
    ['status=500 upstream=api', 11, /expected && or \|\|/],
    ['status=500 &&', 13, /ends where a comparison should stand/],
    ['path="/a', 5, /has no end/],
    ['status=500 & upstream=api', 11, /means nothing here/],
    ['"status"=500', 0, /begins with a field/],
    ['= 5', 0, /expected a field before "="/],
    [`${'('.repeat(60)}status=1`, 50, /more than 50 parentheses/],
    ['a'.repeat(longestExpression + 1), longestExpression, /at most 1000 characters/],
    [`path~${'a'.repeat(201)}`, 5, /at most 200 characters/],
  ] satisfies [string, number, RegExp][]) {
    assert.throws(() => parseWhere(text), { at, message }, text)
  }
})

test('whatever is written is an expression, or a mistake with a place in it', () => {
  const word = fc.oneof(
    fc.constantFrom('status', '>=', '500', '&&', '||', '!', '(', ')', '~', '"', "'", 'total', '1ms', 'header.x', '\\', ' ', 'ä', '\u0000'),
    fc.string({ maxLength: 5 }),
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 20 }), (words) => {
      const text = words.join('')
      try {
        parseWhere(text).matches(record)
      } catch (error) {
        assert.ok(error instanceof WhereError, String(error))
        assert.ok(error.at >= 0 && error.at <= text.length, text)
      }
    }),
    { numRuns: 500 },
  )
})
