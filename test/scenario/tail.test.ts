// weir tail: requests as they end, those that are meant, and no more than somebody reads.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LogRecord, TailProgress } from '../../src/shared/control/record-data.ts'
import { MAIN, NODE, startBalancer } from './lib/balancer.ts'
import { ask, connect as open } from './lib/client.ts'
import { command } from './lib/command.ts'
import { config } from './lib/config.ts'
import { control } from './lib/control.ts'
import { file } from './lib/file-scope.ts'
import { startServer } from './lib/server.ts'
import { type Scope, until } from './lib/wait.ts'

const server = await startServer(file, (req, res) => void res.writeHead(req.url?.startsWith('/bad') ? 503 : 200).end('fine'))
const weir = await startBalancer(
  file,
  config({ servers: [{ name: 'one', address: server.address }], upstream: { retry: { attempts: 0 } } }),
  {
    workers: 2,
  },
)
const socket = join(weir.folder, 'weir.sock')

interface Live {
  out(): string
  err(): string
  interrupt(): void
  readonly ended: Promise<number | null>
}

/** `weir tail ARGS`, live: it shows `/probe` requests. */
async function tail(scope: Scope, ...args: string[]): Promise<Live> {
  const child = spawn(NODE, [MAIN, 'tail', ...args], {
    cwd: weir.folder,
    env: { ...process.env, XDG_RUNTIME_DIR: weir.folder, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  scope.after(() => void child.kill('SIGKILL'))
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const live = { out: () => out, err: () => err, interrupt: () => void child.kill('SIGINT'), ended }
  await until(
    async () => {
      await ask(scope, weir.port(), 'GET /bad/probe')
      return out !== ''
    },
    { within: 10_000, what: 'the stream begins' },
  )
  return live
}

test('only what the expression means is shown, within a moment', async (t) => {
  const live = await tail(t, '--json', '--where', 'status>=500 && upstream=app')
  await ask(t, weir.port(), 'GET /good')
  await ask(t, weir.port(), 'GET /bad/one?token=x')
  const begun = performance.now()
  await until(() => live.out().includes('/bad/one'))
  assert.ok(performance.now() - begun < 1_000)
  const records = live
    .out()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as LogRecord)
  assert.ok(records.every(({ status, upstream }) => status === 503 && upstream === 'app'))
  // Lines of two workers may change places within a moment.
  const one = records.find(({ path }) => path === '/bad/one')
  assert.deepEqual([one?.server, one?.query], ['one', 'token=redacted'])
  live.interrupt()
  assert.equal(await live.ended, 130)
  assert.equal(live.err(), '')
})

test('a limit ends it with 0', async (t) => {
  const live = await tail(t, '--limit', '3')
  for (let i = 0; i < 4; i++) await ask(t, weir.port(), `GET /l${i}`)
  assert.equal(await live.ended, 0)
  assert.equal(live.out().trimEnd().split('\n').length, 3)
})

test('what is no expression is refused at once, also by the socket', async (t) => {
  const { code, stderr } = await command(weir, 'tail', '--where', 'status>>5')
  assert.equal(code, 2)
  assert.match(stderr, /\n {2}status>>5\n {9}\^\n/)
  const { error } = await control(t, socket, { verb: 'tail', where: 'nope=1' })
  assert.deepEqual([error?.code, error?.exit], ['bad-request', 2])
})

test('one that does not read misses records, is told how many, and slows nobody', async (t) => {
  const client = connect(socket)
  t.after(() => void client.destroy())
  let text = ''
  client.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  client.write(`${JSON.stringify({ verb: 'tail' })}\n`)
  await until(() => text.includes('\n'))
  client.pause()
  // Each worker keeps its last 4 MiB of records; what comes beyond is missed.
  const lanes = Array.from({ length: 8 }, async () => {
    const own = await open(t, weir.port())
    for (let i = 0; i < 200; i++) {
      own.request(`GET /${'x'.repeat(7_500)}`)
      await own.readResponse()
    }
  })
  await Promise.all(lanes)
  client.resume()
  const lost = await until(
    () => {
      const lines = text.split('\n').slice(0, -1)
      const batches = lines.map((line) => (JSON.parse(line) as { data: TailProgress }).data)
      return batches.findLast((batch) => batch.lost > 0)?.lost
    },
    { within: 10_000, what: 'to be told of missed records' },
  )
  t.diagnostic(`${lost} of 1,600 missed`)
  assert.ok(lost < 1_600)
})

test('a stream ends with its client: there is room for others again', async (t) => {
  const clients = Array.from({ length: 8 }, () => {
    const client = connect(socket)
    client.on('error', () => undefined)
    client.write(`${JSON.stringify({ verb: 'tail', where: 'status=1' })}\n`)
    return client
  })
  t.after(() => clients.forEach((client) => client.destroy()))
  const full = async () => {
    const { error } = await control(t, socket, { verb: 'tail', limit: 1 })
    return error?.message.includes('8 live streams already') && error
  }
  const isFull = await full()
  assert.ok(isFull, 'a ninth is refused')
  for (const client of clients) client.destroy()
  const live = await tail(t, '--limit', '1')
  assert.equal(await live.ended, 0)
})
