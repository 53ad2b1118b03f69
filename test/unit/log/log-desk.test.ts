import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { FromLogThread, LogSettings } from '../../../src/primary/log/messages.ts'
import { openSink } from '../../../src/primary/log/sink-file.ts'
import { LogDesk } from '../../../src/primary/log/thread/log-desk.ts'
import { usualAccessLog } from '../../../src/shared/config/build-log.ts'
import { accessFormat, wholeFormat } from '../../../src/shared/records/record-format.ts'
import { until } from '../../scenario/lib/wait.ts'
import { FakeReader } from './lib/fake-reader.ts'

const logging = { log: { access: null }, tracing: null }
const whole = wholeFormat(logging)

interface Stage {
  reader: FakeReader
  desk: LogDesk
  /** Everything that the thread said. */
  said: FromLogThread[]
  of<T extends FromLogThread['type']>(type: T): Extract<FromLogThread, { type: T }>[]
}

function stage(t: TestContext): Stage {
  const reader = new FakeReader()
  const said: FromLogThread[] = []
  const desk = new LogDesk({ reader, post: (message) => said.push(message), trace: () => Promise.reject(new Error('no library')) })
  t.after(() => desk.handle({ type: 'close' }))
  const of = <T extends FromLogThread['type']>(type: T) => said.filter((one) => one.type === type) as Extract<FromLogThread, { type: T }>[]
  return { reader, desk, said, of }
}

function settings(change: Partial<LogSettings> = {}): { type: 'settings'; settings: LogSettings } {
  return { type: 'settings', settings: { access: null, whole, keeps: false, trace: null, ...change } }
}

function accessTo(t: TestContext): { path: string; access: NonNullable<LogSettings['access']> } {
  const folder = mkdtempSync(join(tmpdir(), 'weir-log-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'a.log')
  return { path, access: { format: accessFormat(usualAccessLog(), logging), sink: openSink(path), fromOldest: true } }
}

const linesOf = (path: string) => readFileSync(path, 'utf8').split('\n').filter(Boolean)

test('a log gets every record within 100 ms, and what is left when it ends', async (t) => {
  const { reader, desk, of } = stage(t)
  const { path, access } = accessTo(t)
  reader.add({ requestId: 'before' })
  desk.handle(settings({ access }))
  await until(() => linesOf(path).length === 1)
  // Long enough for the pauses to have grown.
  await new Promise((resolve) => setTimeout(resolve, 400))
  const added = performance.now()
  reader.add({ requestId: 'late' })
  await until(() => linesOf(path).length === 2)
  assert.ok(performance.now() - added < 250, `${performance.now() - added} ms`)
  for (let i = 0; i < 5_000; i++) reader.add({ requestId: `r${i}`, path: '/x'.repeat(100) })
  desk.handle(settings())
  await until(() => of('released').length === 1)
  assert.equal(linesOf(path).length, 5_002)
  assert.deepEqual(reader.openCursors, [])
  desk.handle({ type: 'close' })
  await until(() => of('closed').length === 1)
  assert.deepEqual(of('counts').at(-1)?.counts.written, 5_002)
})

test('what was overwritten in a ring counts as lost', async (t) => {
  const { reader, desk, of } = stage(t)
  const { access } = accessTo(t)
  desk.handle(settings({ access }))
  await until(() => reader.openCursors.length === 1)
  reader.lose(reader.openCursors[0] as number, 7)
  reader.add({ requestId: 'a' })
  await until(() => of('counts').some(({ counts }) => counts.lost === 7 && counts.written === 1))
})

test('a stream gets what fits, in batches that are asked for, and is told what it missed', async (t) => {
  const { reader, desk, of } = stage(t)
  desk.handle(settings())
  reader.add({ requestId: 'before', status: 500 })
  desk.handle({ type: 'tail', id: 9, where: 'status>=500' })
  for (let i = 0; i < 700; i++) reader.add({ requestId: `r${i}`, status: i % 2 === 0 ? 200 : 503 })
  await until(() => of('records').length === 1)
  assert.deepEqual([of('records')[0]?.id, of('records')[0]?.records.length, of('records')[0]?.lost], [9, 200, 0])
  reader.lose(reader.openCursors[0] as number, 3)
  reader.add({ requestId: 'last', status: 500 })
  // The loop has had its turns, as somebody else's question was answered behind that record.
  desk.handle({ type: 'find', id: 0, requestId: 'last' })
  await until(() => of('found').length === 1)
  assert.equal(of('records').length, 1, 'nobody has asked for more')
  desk.handle({ type: 'more', id: 9 })
  await until(() => of('records').length === 2)
  desk.handle({ type: 'more', id: 9 })
  await until(() => of('records').length === 3)
  const records = of('records').flatMap((batch) => batch.records)
  assert.equal(records.length, 351)
  assert.equal(records.at(-1)?.requestId, 'last')
  assert.equal(of('records').at(-1)?.lost, 3)
  desk.handle({ type: 'endTail', id: 9 })
  assert.deepEqual(reader.openCursors, [])
})

test('an expression that takes forever ends its stream, and nothing else', async (t) => {
  const { reader, desk, of } = stage(t)
  desk.handle(settings())
  desk.handle({ type: 'tail', id: 1, where: 'path~"^(a+)+$"' })
  desk.handle({ type: 'tail', id: 2, where: '' })
  reader.add({ path: `${'a'.repeat(40)}!` })
  await until(() => of('tailFailed').length === 1 && of('records').length === 1)
  assert.match(of('tailFailed')[0]?.reason ?? '', /takes too long/)
  assert.deepEqual([of('tailFailed')[0]?.id, of('records')[0]?.id], [1, 2])
})

test('a request is found in the rings, or among those that are kept longer', async (t) => {
  const { reader, desk, of } = stage(t)
  desk.handle(settings({ keeps: true }))
  const time = new Date().toISOString()
  reader.add(
    { time, requestId: 'good', status: 200 },
    { time, requestId: 'bad', termination: 'no_server' },
    { time, requestId: 'goodness' },
  )
  const find = async (requestId: string) => {
    const before = of('found').length
    desk.handle({ type: 'find', id: before, requestId })
    return (await until(() => of('found')[before])).found
  }
  assert.deepEqual((await find('good')).record, { time, requestId: 'good', status: 200 })
  // A few rounds later the ring holds others.
  await new Promise((resolve) => setTimeout(resolve, 120))
  reader.lines.fill(JSON.stringify({ time, requestId: 'other' }))
  assert.equal((await find('bad')).record?.termination, 'no_server')
  const none = await find('oo')
  assert.deepEqual([none.record, none.count], [null, 0])
  assert.ok(none.reachMs !== null && none.reachMs >= 0 && none.reachMs < 10_000)
})

test('tracing that cannot begin is told, and the rest goes on', async (t) => {
  const { reader, desk, of } = stage(t)
  const { path, access } = accessTo(t)
  desk.handle(settings({ access, trace: { url: 'http://x', serviceName: 'weir', serviceVersion: '1', headers: {} } }))
  reader.add({ requestId: 'a' })
  await until(() => of('say').length === 1 && linesOf(path).length === 1)
  assert.match(of('say')[0]?.line ?? '', /tracing is off: no library/)
})
