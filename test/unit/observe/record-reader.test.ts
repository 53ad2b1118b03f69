// Records as JavaScript reads them: what a writer that knows only the layout put there, against what JSON.parse finds in the lines.
import assert from 'node:assert/strict'
import { closeSync } from 'node:fs'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { abi } from '../../../src/native/abi.ts'
import { addon } from '../../../src/native/addon.ts'
import type { RecordFormat, RecordReader } from '../../../src/native/contract.ts'
import { packageFile } from '../../../src/shared/base/program-files.ts'
import { append, bytesOf, type HandWritten, mapped, recordBytes } from './lib/hand-written-record.ts'

const WORKERS = 2
const allFields = Array.from({ length: abi.recordField.count }, (_, field) => field)
const json: RecordFormat = { kind: 'json', fields: allFields, redactedQuery: [], headers: [], share: 1 }

const boards: number[] = []
after(() => boards.forEach((fd) => void closeSync(fd)))

function board(): { fd: number; reader: RecordReader; put(record: HandWritten, column?: number): void } {
  const fd = addon().createBoard(WORKERS)
  boards.push(fd)
  const reader = new (addon().RecordReader)({ boardFd: fd, workers: WORKERS })
  return { fd, reader, put: (record, column = 0) => append(fd, column, recordBytes(record)) }
}

function linesOf(reader: RecordReader, cursor: number): string[] {
  const into = new Uint8Array(65536)
  const texts: string[] = []
  for (let bytes = reader.read(cursor, into); bytes > 0; bytes = reader.read(cursor, into)) {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(into.subarray(0, bytes))
    assert.ok(text.endsWith('\n'))
    texts.push(text)
  }
  return texts.join('').split('\n').slice(0, -1)
}

const full: HandWritten = {
  termination: abi.termination.firstByteTimeout,
  attempts: 2,
  notes: [{ atUs: 1500, server: 8, reason: abi.failure.connect, error: 111 }],
  endedAtUs: 1_714_979_289_012_345n,
  bytesIn: 2 ** 40,
  bytesOut: 7,
  queueUs: 1,
  connectUs: 2,
  firstByteUs: 3,
  totalUs: 4_000_000_000,
  overheadUs: 5,
  flags: abi.recordFlag.reusedConnection | abi.recordFlag.hedged,
  status: 504,
  listener: 1,
  route: 70,
  server: 9,
  peerPort: 4711,
  peer: mapped(10, 0, 0, 1),
  client: mapped(192, 0, 2, 1),
  texts: {
    method: 'PURGE',
    host: 'example.com',
    target: '/a/b?x=1&Token=abc',
    requestId: 'id-1',
    referer: 'http://example.com/?token=def',
    userAgent: 'test/1.0',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  },
  captures: [
    { name: 'authorization', value: 'Bearer secret' },
    { name: 'x-tenant', value: 'acme' },
  ],
}

test('every field of a record stands in its line, under the name that the list of fields has', () => {
  const { reader, put } = board()
  reader.name('listener', 1, 'web')
  reader.name('route', 70, 'example.com/a')
  reader.name('server', 8, 'api/a')
  reader.name('server', 9, 'api/b')
  const headers = [
    { name: 'x-tenant', isSecret: false },
    { name: 'authorization', isSecret: true },
  ]
  const cursor = reader.open({ ...json, headers, redactedQuery: ['token'] }, false)
  put(full, 1)
  const [line, ...more] = linesOf(reader, cursor)
  assert.equal(more.length, 0)
  const told = JSON.parse(line as string) as Record<string, unknown>
  assert.deepEqual(told, {
    time: '2024-05-06T07:08:09.012Z',
    kind: 'exchange',
    worker: 2,
    requestId: 'id-1',
    client: '192.0.2.1',
    peer: '10.0.0.1:4711',
    listener: 'web',
    method: 'PURGE',
    host: 'example.com',
    path: '/a/b',
    query: 'x=1&Token=redacted',
    protocol: 'HTTP/1.1',
    status: 504,
    termination: 'first_byte_timeout',
    route: 'example.com/a',
    upstream: 'api',
    server: 'b',
    attempts: 2,
    failedAttempts: [{ server: 'api/a', reason: 'connect', error: 'ECONNREFUSED', atUs: 1500 }],
    isReused: true,
    isHedged: true,
    bytesIn: 2 ** 40,
    bytesOut: 7,
    queueUs: 1,
    connectUs: 2,
    firstByteUs: 3,
    totalUs: 4_000_000_000,
    overheadUs: 5,
    referer: 'http://example.com/?token=redacted',
    userAgent: 'test/1.0',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    headers: { authorization: 'redacted', 'x-tenant': 'acme' },
  })
  const inOrder = Object.keys(abi.recordField).filter((name) => name !== 'count')
  assert.deepEqual(Object.keys(told), inOrder)
})

test('every termination and every failure has its name in snake case', () => {
  const { reader, put } = board()
  const cursor = reader.open(json, false)
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  const endings = Object.entries(abi.termination).filter(([name]) => name !== 'count')
  const failures = Object.entries(abi.failure)
  for (const [, termination] of endings) put({ termination })
  for (const [, reason] of failures) put({ notes: [{ atUs: 0, server: 0xffff, reason, error: 0 }] })
  const told = linesOf(reader, cursor).map((line) => JSON.parse(line))
  assert.deepEqual(
    told.slice(0, endings.length).map(({ termination }) => termination),
    endings.map(([name]) => snake(name)),
  )
  assert.deepEqual(
    told.slice(endings.length).map(({ failedAttempts }) => failedAttempts[0].reason),
    failures.map(([name]) => snake(name)),
  )
})

test('whatever bytes a text has, JSON.parse finds them as the decoder of the platform reads them, and a terminal only text', () => {
  const { reader, put } = board()
  const cursor = reader.open(json, false)
  const sent = Array.from({ length: 400 }, (_, i) => randomBytes(i))
  for (const bytes of sent) put({ texts: { userAgent: bytes } })
  const lines = linesOf(reader, cursor)
  assert.equal(lines.length, sent.length)
  for (const [i, line] of lines.entries()) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/)
    const { userAgent = '' } = JSON.parse(line)
    assert.equal(userAgent, bytesOf(sent[i] as Uint8Array).toString('utf8'))
  }
})

// Mostly what is hard: bytes of UTF-8 in a wrong order, control characters, quotes. The same for the same number.
function randomBytes(seed: number): Uint8Array {
  const hard = [
    0x00, 0x1b, 0x22, 0x5c, 0x7f, 0x80, 0x9b, 0xa0, 0xbf, 0xc2, 0xc3, 0xe2, 0x80, 0xae, 0xed, 0xa0, 0xf0, 0x9f, 0x8c, 0x8a, 0xf4, 0xff,
  ]
  let state = seed * 2654435761 + 1
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) % below
  }
  return Uint8Array.from({ length: next(300) }, () => (next(3) === 0 ? 32 + next(90) : (hard[next(hard.length)] as number)))
}

test('lines of the combined format come apart as its readers take them apart', () => {
  const { reader, put } = board()
  const cursor = reader.open({ ...json, kind: 'combined', fields: [] }, false)
  put(full)
  put({ peer: mapped(192, 0, 2, 9), texts: { method: 'GET', target: '/"\n\u001b[2J\xff', userAgent: '\\" - "' } })
  const form = /^(\S+) - - \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\S+) (\S+) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"$/
  const parts = linesOf(reader, cursor).map((line) => form.exec(line)?.slice(1))
  assert.deepEqual(parts, [
    [
      '192.0.2.1',
      '06/May/2024:07:08:09 +0000',
      'PURGE /a/b?x=1&Token=abc HTTP/1.1',
      '504',
      '7',
      'http://example.com/?token=def',
      'test/1.0',
    ],
    ['192.0.2.9', '01/Jan/1970:00:00:00 +0000', 'GET /\\"\\n\\x1b[2J\\xff HTTP/1.1', '-', '-', '-', '\\\\\\" - \\"'],
  ])
})

test('a name counts from when it is told, and an empty one is none', () => {
  const { reader, put } = board()
  const cursor = reader.open({ ...json, fields: [abi.recordField.listener, abi.recordField.status] }, false)
  const told = () => linesOf(reader, cursor).map((line) => JSON.parse(line).listener)
  put({ listener: 63 })
  assert.deepEqual(told(), [undefined])
  reader.name('listener', 63, 'grün/"x"\u001b')
  put({ listener: 63 })
  assert.deepEqual(told(), ['grün/"x"\u001b'])
  reader.name('listener', 63, '')
  put({ listener: 63 })
  assert.deepEqual(told(), [undefined])
})

test('a cursor that changes its form goes on where it is', () => {
  const { reader, put } = board()
  const cursor = reader.open({ ...json, fields: [abi.recordField.status] }, false)
  put({ status: 201 })
  assert.deepEqual(linesOf(reader, cursor), ['{"status":201}'])
  put({ status: 202, totalUs: 9 })
  reader.reformat(cursor, { ...json, fields: [abi.recordField.totalUs] })
  assert.deepEqual(linesOf(reader, cursor), ['{"totalUs":9}'])
  assert.deepEqual(reader.counts(cursor), { lost: 0, read: 2 })
})

test('several threads read the same board at once, each with a reader of its own', async () => {
  const { fd, put } = board()
  for (let status = 200; status < 300; status++) put({ status }, status % WORKERS)
  const file = process.env['WEIR_ADDON'] ?? fileURLToPath(packageFile('native/build/Release/weir.node'))
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    const reader = new (require(workerData.file).RecordReader)(workerData.options)
    const cursor = reader.open(workerData.format, true)
    const into = new Uint8Array(65536)
    let text = ''
    for (let bytes; (bytes = reader.read(cursor, into)) > 0; ) text += new TextDecoder().decode(into.subarray(0, bytes))
    parentPort.postMessage(text)
    if (workerData.stays) setInterval(() => reader.read(cursor, into), 1)`
  const format = { ...json, fields: [abi.recordField.status] }
  const read = async (stays: boolean) => {
    const worker = new Worker(code, { eval: true, workerData: { file, format, options: { boardFd: fd, workers: WORKERS }, stays } })
    const text = await new Promise<string>((resolve, reject) => worker.once('message', resolve).once('error', reject))
    // In the middle of its work, or at its end.
    await worker.terminate()
    return text
  }
  for (const text of await Promise.all([read(true), read(false), read(true)])) {
    const statuses = text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).status as number)
    assert.deepEqual(
      statuses.sort(),
      Array.from({ length: 100 }, (_, i) => 200 + i),
    )
  }
})

test('sixteen cursors are open at most, and one that is closed is none', () => {
  const { reader } = board()
  const cursors = Array.from({ length: 16 }, () => reader.open(json, false))
  assert.equal(new Set(cursors).size, 16)
  assert.throws(() => reader.open(json, false), /16 cursors are open already/)
  reader.close(cursors[5] as number)
  assert.throws(() => reader.read(cursors[5] as number, new Uint8Array(65536)), {
    name: 'TypeError',
    message: /the cursor must be one that is open/,
  })
  assert.equal(reader.open(json, false), cursors[5])
})

test('an argument that is none is a TypeError that says which, and changes nothing', () => {
  const { fd, reader } = board()
  const { RecordReader } = addon()
  const cursor = reader.open(json, false)
  const into = new Uint8Array(65536)
  // What no compiler would let through.
  const loose = reader as unknown as Record<string, (...args: unknown[]) => unknown>
  const Loose = RecordReader as unknown as new (...args: unknown[]) => unknown
  const call =
    (name: string, ...args: unknown[]) =>
    () =>
      loose[name]?.(...args)
  const calls: [RegExp, () => unknown][] = [
    [/options must be an object/, () => new Loose()],
    [/boardFd must be a whole number/, () => new Loose({ boardFd: -1, workers: 1 })],
    [/boardFd must be a whole number/, () => new Loose({ boardFd: '3', workers: 1 })],
    [/workers must be a whole number from 1 to 128/, () => new Loose({ boardFd: fd, workers: 0 })],
    [/workers must be a whole number from 1 to 128/, () => new Loose({ boardFd: fd, workers: 129 })],
    [/called with new/, () => (RecordReader as unknown as () => unknown)()],
    [/Illegal invocation|object of a call must be a RecordReader/, () => loose['read']?.call({}, cursor, into)],
    [/kind of a row must be listener, route or server/, call('name', 'worker', 0, 'x')],
    [/row must be a whole number from 0 to 63/, call('name', 'listener', 64, 'x')],
    [/row must be a whole number from 0 to 1023/, call('name', 'route', 1.5, 'x')],
    [/row must be a whole number from 0 to 8191/, call('name', 'server', Number.NaN, 'x')],
    [/name of a row must be a string/, call('name', 'server', 1, 7)],
    [/format must be an object/, call('open', null, false)],
    [/kind of a format must be json or combined/, call('open', { ...json, kind: 'xml' }, false)],
    [/fields must be an array/, call('open', { ...json, fields: 7 }, false)],
    [/each of fields must be a whole number from 0 to/, call('open', { ...json, fields: [0, abi.recordField.count] }, false)],
    [/redactedQuery must be an array/, call('open', { ...json, redactedQuery: 'token' }, false)],
    [/each of redactedQuery must be a string/, call('open', { ...json, redactedQuery: [null] }, false)],
    [/headers must be an array/, call('open', { ...json, headers: undefined }, false)],
    [/each of headers must be an object/, call('open', { ...json, headers: ['x'] }, false)],
    [/name of a header must be a string/, call('open', { ...json, headers: [{ isSecret: true }] }, false)],
    [/isSecret of a header must be true or false/, call('open', { ...json, headers: [{ name: 'x', isSecret: 1 }] }, false)],
    [/share must be a number from 0 to 1/, call('open', { ...json, share: 1.01 }, false)],
    [/share must be a number from 0 to 1/, call('open', { ...json, share: Number.NaN }, false)],
    [/fromOldest must be true or false/, call('open', json)],
    [/cursor must be a whole number from 0 to 15/, call('close', 16)],
    [/cursor must be one that is open/, call('counts', cursor + 1)],
    [/read into must be a Uint8Array of at least 65536 bytes/, call('read', cursor, new Uint8Array(65535))],
    [/read into must be a Uint8Array of at least 65536 bytes/, call('read', cursor, new Uint16Array(65536))],
    [/read into must be a Uint8Array of at least 65536 bytes/, call('read', cursor)],
  ]
  for (const [message, attempt] of calls) assert.throws(attempt, { name: 'TypeError', message })
  assert.throws(() => new Loose({ boardFd: fd, workers: WORKERS + 1 }), { code: 'EINVAL' })
  assert.equal(reader.open(json, false), cursor + 1)
})
