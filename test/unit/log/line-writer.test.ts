import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openSink } from '../../../src/primary/log/sink-file.ts'
import { LineWriter, linesIn } from '../../../src/primary/log/thread/line-writer.ts'
import { until } from '../../scenario/lib/wait.ts'

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'weir-log-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function writerTo(path: string): { writer: LineWriter; said: string[]; released: number[] } {
  const said: string[] = []
  const released: number[] = []
  const writer = new LineWriter({ sink: openSink(path), say: (line) => said.push(line), released: (sink) => released.push(sink) })
  return { writer, said, released }
}

/** Whole lines, or none where there is no room: then they are lost. */
function put(writer: LineWriter, ...lines: string[]): void {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  if (writer.fill((room) => bytes.copy(room)) === null) writer.lose(linesIn(bytes, 0, bytes.length))
}

const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `line ${from + i} ${'x'.repeat(200)}`)

test('lines come in their order, and the file is not for everybody', async (t) => {
  const path = join(folder(t), 'a.log')
  const { writer, said } = writerTo(path)
  for (let i = 0; i < 5_000; i += 50) put(writer, ...numbered(i, i + 50))
  await writer.drained()
  assert.deepEqual(readFileSync(path, 'utf8').trimEnd().split('\n'), numbered(0, 5_000))
  assert.deepEqual([writer.written, writer.lost, writer.errors], [5_000, 0, 0])
  assert.equal(execFileSync('stat', ['-c', '%a', path], { encoding: 'utf8' }).trim(), '640')
  assert.deepEqual(said, [])
  writer.close()
})

test('a file that was moved away is followed by a new one without a line lost or repeated', async (t) => {
  const path = join(folder(t), 'a.log')
  const { writer, released } = writerTo(path)
  for (let turn = 0; turn < 20; turn++) {
    put(writer, ...numbered(turn * 100, turn * 100 + 100))
    if (turn % 5 !== 4) continue
    renameSync(path, `${path}.${turn}`)
    put(writer, `between ${turn}`)
    writer.replace(openSink(path))
  }
  await writer.drained()
  const files = [`${path}.4`, `${path}.9`, `${path}.14`, `${path}.19`, path].map((file) => readFileSync(file, 'utf8'))
  for (const text of files) assert.ok(text === '' || text.endsWith('\n'))
  const lines = files.join('').trimEnd().split('\n')
  assert.deepEqual(
    lines.filter((line) => !line.startsWith('between')),
    numbered(0, 2_000),
  )
  assert.equal(lines.length, 2_004)
  assert.equal(released.length, 4)
  writer.close()
  assert.equal(released.length, 5)
})

test('a full disk loses what comes when memory is used up, says so, and goes on elsewhere with whole lines', async (t) => {
  const path = join(folder(t), 'a.log')
  const { writer, said } = writerTo('/dev/full')
  put(writer, 'first')
  await until(() => said.length > 0)
  assert.match(said[0] ?? '', /access log \/dev\/full: the disk is full/)
  for (let i = 0; i < 60_000; i += 100) put(writer, ...numbered(i, i + 100))
  assert.ok(writer.lost > 10_000, `${writer.lost} lost`)
  assert.equal(writer.written, 0)
  const lost = writer.lost
  writer.replace(openSink(path))
  await writer.drained()
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  assert.equal(lines[0], 'first')
  assert.equal(lines.length + lost, 60_001)
  for (const line of lines.slice(1)) assert.match(line, /^line \d+ x{200}$/)
  assert.match(said.at(-1) ?? '', /goes on; \d+ lines are lost/)
  assert.ok(said.length <= 3, said.join('\n'))
  writer.close()
})

test('a pipe that nobody reads blocks nothing; its reader gets whole lines', async (t) => {
  const path = join(folder(t), 'pipe')
  execFileSync('mkfifo', [path])
  const { writer, said } = writerTo(path)
  for (let i = 0; i < 50_000; i += 100) put(writer, ...numbered(i, i + 100))
  await until(() => said.length > 0, { within: 10_000 })
  assert.match(said[0] ?? '', /nobody reads what is written there; \d+ lines are lost/)
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const parts: Buffer[] = []
  const buffer = Buffer.alloc(65_536)
  const read = () => {
    try {
      for (let n = readSync(reader, buffer); n > 0; n = readSync(reader, buffer)) parts.push(Buffer.from(buffer.subarray(0, n)))
    } catch {
      // It is empty for now.
    }
    return writer.written + writer.lost === 50_000
  }
  await until(read, { within: 10_000 })
  read()
  closeSync(reader)
  const lines = Buffer.concat(parts).toString().split('\n')
  assert.equal(lines.pop(), '')
  assert.equal(lines.length, writer.written)
  for (const line of lines) assert.match(line, /^line \d+ x{200}$/)
  writer.close()
})

test('what cannot be opened is refused with file and reason', (t) => {
  const path = folder(t)
  for (const [to, why] of [
    [join(path, 'none', 'a.log'), /its folder does not exist/],
    [path, /it is a folder/],
    ['/proc/version/a.log', /its folder is a file/],
  ] satisfies [string, RegExp][]) {
    assert.throws(
      () => openSink(to),
      (error: Error) => why.test(error.message) && error.message.startsWith(`the access log ${to} cannot be opened: `),
    )
  }
})
