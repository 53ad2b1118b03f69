import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connectControl } from '../../../src/cli/control-client.ts'
import { CommandError, Interrupted, NotReachable } from '../../../src/cli/control-errors.ts'
import { socketPaths } from '../../../src/cli/control-socket.ts'
import { defaultSocketPath } from '../../../src/shared/control/socket-path.ts'
import { until } from '../../scenario/lib/wait.ts'
import { weir, weirAt } from './lib/command.ts'
import { answer, failure, fakeControl, progress } from './lib/fake-control.ts'
import { status } from './lib/samples.ts'

function folderOf(t: TestContext, files: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-cli-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const config = (
  control: string,
  rest = 'listeners: { web: { bind: ":0", upstream: a } }\nupstreams: { a: { servers: ["127.0.0.1:1"] } }\n',
) => `${control}\n${rest}`
const place = (cwd: string) => ({ env: {}, cwd, uid: 1000 })
const choice = { socket: undefined, config: undefined }

test('the usual socket is in the runtime folder of the user, else in /run for root, else in /tmp', () => {
  assert.equal(defaultSocketPath({ XDG_RUNTIME_DIR: '/run/user/1000' }, 1000), '/run/user/1000/weir.sock')
  assert.equal(defaultSocketPath({ XDG_RUNTIME_DIR: 'relative' }, 1000), '/tmp/weir-1000.sock')
  assert.equal(defaultSocketPath({ XDG_RUNTIME_DIR: '' }, 0), '/run/weir.sock')
  assert.equal(defaultSocketPath({}, 1000), '/tmp/weir-1000.sock')
})

test('a socket that is named wins over all', async (t) => {
  const cwd = folderOf(t, { 'weir.yaml': config('control: { socket: /from/config.sock }') })
  assert.deepEqual(await socketPaths({ socket: 'here.sock', config: join(cwd, 'weir.yaml') }, place(cwd)), ['here.sock'])
})

test('the config that is named, or that lies here, says which socket', async (t) => {
  const cwd = folderOf(t, {
    'weir.yaml': config('control: { socket: /here.sock }'),
    'other.yaml': config('control: { socket: "/${NAME}.sock" }'),
  })
  assert.deepEqual(await socketPaths(choice, place(cwd)), ['/here.sock'])
  const named = { socket: undefined, config: join(cwd, 'other.yaml') }
  assert.deepEqual(await socketPaths(named, { ...place(cwd), env: { NAME: 'n' } }), ['/n.sock'])
})

test('a config with problems still says which socket, so that a reload can name them', async (t) => {
  const cwd = folderOf(t, { 'weir.yaml': config('control: { socket: /here.sock }', 'lsteners: {}\n') })
  assert.deepEqual(await socketPaths(choice, place(cwd)), ['/here.sock'])
})

test('without a socket in the config it is the usual one; root looks where services are, too', async (t) => {
  const cwd = folderOf(t, { 'weir.yaml': config('') })
  assert.deepEqual(await socketPaths(choice, place(cwd)), ['/tmp/weir-1000.sock'])
  const root = { env: { XDG_RUNTIME_DIR: '/run/user/0' }, cwd, uid: 0 }
  assert.deepEqual(await socketPaths(choice, root), ['/run/user/0/weir.sock', '/run/weir.sock'])
})

test('a config that cannot be read is an error where it was named, and nothing where it only lies here', async (t) => {
  const cwd = folderOf(t)
  const missing = await weir(['status', '--config', join(cwd, 'none.yaml')])
  assert.equal(missing.code, 1)
  assert.match(missing.err, /none.yaml: no such file/)
  mkdirSync(join(cwd, 'weir.yaml'))
  assert.deepEqual(await socketPaths(choice, place(cwd)), ['/tmp/weir-1000.sock'])
})

test('a config that switches the socket off is told as such', async (t) => {
  const cwd = folderOf(t, { 'weir.yaml': config('control: { socket: off }') })
  const { code, err } = await weir(['status'], { cwd })
  assert.equal(code, 3)
  assert.match(err, /says that there is no control socket \(control.socket: off\)/)
})

test('nobody at the socket is exit code 3, with the socket and what to do', async (t) => {
  const path = join(folderOf(t), 'none.sock')
  const { code, out, err } = await weirAt({ path }, ['status'])
  assert.deepEqual([code, out], [3, ''])
  assert.match(err, new RegExp(`^weir: no control socket at ${path}: is weir running\\? .*--socket.*\n$`))
  const json = await weirAt({ path }, ['status', '--json'])
  const envelope = JSON.parse(json.out)
  assert.deepEqual([json.code, json.err], [3, ''])
  assert.deepEqual([envelope.schema, envelope.error.code, envelope.error.exit], ['weir.error/1', 'not-reachable', 3])
})

test('a stale socket file, and a path that is too long, are exit code 3', async (t) => {
  const folder = folderOf(t, { 'weir.sock': '' })
  assert.match((await weirAt({ path: join(folder, 'weir.sock') }, ['status'])).err, /nobody answers at/)
  const long = await weirAt({ path: join(folder, 'x'.repeat(120)) }, ['status'])
  assert.equal(long.code, 3)
})

test('something else that answers there is exit code 3', async (t) => {
  const path = join(folderOf(t), 'other.sock')
  const server = createServer((socket) => void socket.end('220 mail.example ESMTP\r\n'))
  await new Promise<void>((resolve) => server.listen(path, resolve))
  t.after(() => void server.close())
  const { code, err } = await weirAt({ path }, ['status'])
  assert.equal(code, 3)
  assert.match(err, /what answers at .* is not weir: 220 mail/)
})

test('a connection that closes before the answer is exit code 3', async (t) => {
  const control = await fakeControl(t, { status: ['close'] })
  const { code, err } = await weirAt(control, ['status'])
  assert.equal(code, 3)
  assert.match(err, /closed the connection before it answered/)
})

test('a weir that says nothing is not waited for without end', async (t) => {
  const control = await fakeControl(t, { status: ['silence'] })
  const client = await connectControl(control.path)
  await assert.rejects(client.ask('status', {}, { withinMs: 20 }), NotReachable)
})

test('errors keep their code, message, exit code and line', async (t) => {
  const line = failure('refused', 'it would empty api')
  const control = await fakeControl(t, { drain: [line] })
  const client = await connectControl(control.path)
  t.after(() => client.close())
  const error = await client.ask('drain', { server: 'api/a' }).catch((reason: unknown) => reason)
  assert.ok(error instanceof CommandError)
  assert.deepEqual([error.code, error.message, error.exit, error.line], ['refused', 'it would empty api', 5, line])
})

test('answers come in the order of the questions, with progress in between', async (t) => {
  const control = await fakeControl(t, {
    status: [progress(1), progress(2), answer('status', status())],
    workers: [answer('workers', { workers: [] })],
  })
  const client = await connectControl(control.path)
  t.after(() => client.close())
  const seen: unknown[] = []
  const [first, second] = await Promise.all([
    client.ask('status', {}, { onProgress: (data) => void seen.push(data) }),
    client.ask('workers', {}, { onProgress: (data) => void seen.push(data) }),
  ])
  assert.deepEqual([first.data.pid, first.generation, second.data.workers, seen], [4000, 42, [], [1, 2]])
})

test('a question that is given up ends its connection, and the next goes on a new one', async (t) => {
  const control = await fakeControl(t, { wait: ['silence'], workers: [answer('workers', { workers: [] })] })
  const client = await connectControl(control.path)
  t.after(() => client.close())
  const stop = new AbortController()
  const waiting = client.ask('wait', { server: 'api/a', condition: 'up', timeoutMs: 1_000 }, { signal: stop.signal })
  await until(() => control.requests.length === 1, { what: 'the question has arrived' })
  stop.abort()
  await assert.rejects(waiting, Interrupted)
  await until(() => control.open === 0, { what: 'the connection is closed' })
  assert.deepEqual((await client.ask('workers', {})).data, { workers: [] })
})

test('a client that was closed leaves no connection', async (t) => {
  const control = await fakeControl(t, { workers: [answer('workers', { workers: [] })] })
  await weirAt(control, ['workers'])
  await until(() => control.open === 0, { what: 'the connection is closed' })
})
