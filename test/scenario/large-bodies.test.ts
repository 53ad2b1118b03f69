// A gigabyte in each direction: nothing is changed, and nothing is stored.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask, type Client, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { residentBytes } from './lib/processes.ts'
import { startServerProcess } from './lib/server-process.ts'

const MiB = 1024 * 1024
const COUNT = 1024
const BLOCK = Buffer.alloc(MiB, 'weir moves these bytes and changes none of them; ')
const MAY_GROW = 20 * MiB
const PATIENCE = 60_000

const server = await startServerProcess(file, 'bulk')
const weir = await startBalancer(file, config({ servers: [server.address] }))
const worker = weir.workerPids()[0] as number

function digestOf(count: number): string {
  const hash = createHash('sha256')
  for (let i = 0; i < count; i++) hash.update(BLOCK)
  return hash.digest('hex')
}

const expected = digestOf(COUNT)

/** Most memory of the worker above `base` while the work runs. */
async function growthDuring(base: number, work: () => Promise<void>): Promise<number> {
  let most = 0
  const watch = setInterval(() => {
    most = Math.max(most, residentBytes(worker) - base)
  }, 25)
  await work().finally(() => clearInterval(watch))
  return most
}

async function warmedUp(client: Client): Promise<number> {
  client.request('GET /1')
  await client.readResponse()
  return residentBytes(worker)
}

async function pour(client: Client, frame: (block: Buffer) => Buffer[]): Promise<void> {
  for (let i = 0; i < COUNT; i++) {
    for (const part of frame(BLOCK)) if (!client.socket.write(part)) await once(client.socket, 'drain')
  }
}

test('a download of 1 GiB is equal and needs no memory', async (t) => {
  const client = await connect(t, weir.port())
  const base = await warmedUp(client)
  const hash = createHash('sha256')
  const growth = await growthDuring(base, async () => {
    client.request(`GET /${COUNT}`)
    const head = await client.readHead()
    assert.ok(head.headers.some(([name, value]) => name.toLowerCase() === 'content-length' && Number(value) === COUNT * MiB))
    for (let left = COUNT * MiB; left > 0; ) {
      const part = await client.reader.takeSome(PATIENCE)
      assert.notEqual(part.length, 0, `${left} bytes are missing`)
      hash.update(part)
      left -= part.length
    }
  })
  assert.equal(hash.digest('hex'), expected)
  assert.ok(growth < MAY_GROW, `the worker grew by ${growth} bytes`)
})

const uploads: { name: string; headers: Record<string, string>; frame: (block: Buffer) => Buffer[]; end: string }[] = [
  { name: 'with a length', headers: { 'Content-Length': String(COUNT * MiB) }, frame: (block) => [block], end: '' },
  {
    name: 'in chunks',
    headers: { 'Transfer-Encoding': 'chunked' },
    frame: (block) => [Buffer.from(`${block.length.toString(16)}\r\n`), block, Buffer.from('\r\n')],
    end: '0\r\n\r\n',
  },
]

for (const { name, headers, frame, end } of uploads) {
  test(`an upload of 1 GiB ${name} is equal and needs no memory`, async (t) => {
    const client = await connect(t, weir.port())
    const base = await warmedUp(client)
    const growth = await growthDuring(base, async () => {
      client.request('POST /', headers)
      await pour(client, frame)
      client.send(end)
      const answer = await client.readResponse({ within: PATIENCE })
      assert.equal(answer.text, `${COUNT * MiB} ${expected}`)
    })
    assert.ok(growth < MAY_GROW, `the worker grew by ${growth} bytes`)
  })
}

test('twenty downloads at once are each complete', async (t) => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(t, weir.port(), 'GET /4')))
  for (const { body } of answers) assert.equal(createHash('sha256').update(body).digest('hex'), digestOf(4))
})
