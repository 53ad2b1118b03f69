import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { abi } from '../../../src/native/abi.ts'
import { logFields } from '../../../src/shared/config/schema/log.ts'
import { LogRecord } from '../../../src/shared/control/record-data.ts'
import { accessFormat, capturedHeaders, wholeFormat } from '../../../src/shared/records/record-format.ts'
import type { RecordLine } from '../../../src/shared/records/record-line.ts'
import { fieldOf } from '../../../src/shared/records/where-fields.ts'
import { configOf, configWith } from '../config/helper.ts'

const configured = (root: string) => configOf(configWith({ root }))
const inFile = (more = '') => `log: { access: { to: /tmp/weir-a.log${more} } }`

test('the config names the fields that records have, in their order', () => {
  const { count, headers, ...fields } = abi.recordField
  assert.deepEqual([...logFields], Object.keys(fields))
  assert.deepEqual(Object.keys(LogRecord.properties).toSorted(), [...logFields, 'headers'].toSorted())
  for (const name of logFields) assert.ok(fieldOf(name) !== null, `${name} can be asked for`)
})

test('a record as weir reads it is one as it is published', () => {
  const whole: Required<RecordLine> = {
    ...{ time: '2026-01-31T12:00:00.000Z', kind: 'exchange', worker: 1, requestId: 'a', client: 'c', peer: 'p:1', listener: 'web' },
    ...{ method: 'GET', host: 'h', path: '/', query: 'q', protocol: 'HTTP/1.1', status: 200, termination: 'ok', route: 'r', upstream: 'u' },
    ...{ server: 's', attempts: 1, isReused: true, isHedged: false, bytesIn: 1, bytesOut: 1, queueUs: 1, connectUs: 1, firstByteUs: 1 },
    ...{ totalUs: 1, overheadUs: 1, referer: 'r', userAgent: 'u', traceparent: 't', headers: { a: 'b' } },
    failedAttempts: [{ server: 'u/s', reason: 'connect', error: 'ECONNREFUSED', atUs: 1 }],
  }
  assert.ok(Value.Check(LogRecord, whole))
  assert.deepEqual(Object.keys(whole).toSorted(), Object.keys(LogRecord.properties).toSorted())
})

test('an access log says who, what, where to and how long by default', async () => {
  const config = await configured(inFile())
  assert.ok(config.log.access)
  const { kind, fields, share, redactedQuery, headers } = accessFormat(config.log.access, config)
  assert.deepEqual({ kind, share, headers }, { kind: 'json', share: 1, headers: [] })
  const names = fields.map((number) => logFields[number] ?? 'headers')
  for (const name of ['time', 'client', 'method', 'host', 'path', 'status', 'server', 'totalUs', 'overheadUs', 'termination', 'requestId'])
    assert.ok(names.includes(name as 'time'), name)
  for (const name of ['kind', 'peer', 'traceparent', 'referer', 'headers']) assert.ok(!names.includes(name as 'time'), name)
  for (const name of ['token', 'access_token', 'api_key', 'password', 'secret', 'code', 'signature'])
    assert.ok(redactedQuery.includes(name), name)
})

test('header fields are captured for the log and for traces, and secret ones are never written', async () => {
  const config = await configured(
    `${inFile(', headers: [User-Agent, Authorization, x-foo], redactQuery: [Sig]')}\ntracing: { otlp: "http://[::1]:4318/v1/traces" }`,
  )
  assert.deepEqual(capturedHeaders(config), ['user-agent', 'authorization', 'x-foo', 'traceparent'])
  assert.ok(config.log.access)
  const format = accessFormat(config.log.access, config)
  assert.ok(format.fields.includes(abi.recordField.headers))
  assert.deepEqual(format.redactedQuery, ['sig'])
  assert.deepEqual(
    format.headers.map(({ isSecret }) => isSecret),
    [false, true, false, false],
  )
  const whole = wholeFormat(await configured('workers: 1'))
  assert.equal(whole.fields.length, abi.recordField.count)
  assert.ok(whole.redactedQuery.includes('token'))
})
