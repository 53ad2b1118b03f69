// Functions of a TypeScript config, whatever they do: one request may suffer, never the worker or another request.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { MAIN, NODE } from './lib/balancer.ts'
import { ask, connect } from './lib/client.ts'
import { childrenOf, residentBytes } from './lib/processes.ts'
import { answering, response } from './lib/raw-server.ts'
import { startServer } from './lib/server.ts'
import { inTime, type Scope, until } from './lib/wait.ts'

interface Running {
  port: number
  path: string
  pid: number
  log(): string
  workerPids(): number[]
}

/** Starts a balancer with one route per function; `functions` is the text of an object literal by path. */
async function startWithFunctions(scope: Scope, address: string, functions: string): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-functions-'))
  const path = join(folder, 'weir.config.mjs')
  writeFileSync(
    path,
    `const functions = ${functions}
export default {
  workers: 1,
  listeners: { web: { bind: '127.0.0.1:0', routes: [
    ...Object.entries(functions).map(([path, onRequest]) => ({ match: { path }, upstream: 'app', onRequest })),
    { match: {}, upstream: 'app' },
  ] } },
  upstreams: { app: { servers: ['${address}'] } },
  shutdown: { grace: '1s' },
}
`,
  )
  const child = spawn(NODE, [MAIN, 'run', path], { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  child.stdout.on('data', (bytes: Buffer) => (log += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (log += bytes.toString()))
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  scope.after(async () => {
    child.kill('SIGTERM')
    await inTime(exited, { within: 5_000 }).catch(() => child.kill('SIGKILL'))
    rmSync(folder, { recursive: true, force: true })
  })
  await until(() => / ready \(/.test(log), { within: 20_000, what: `the balancer is ready:\n${log}` })
  const port = Number(/127\.0\.0\.1:(\d+) \(web\)/.exec(log)?.[1])
  return { port, path, pid: child.pid as number, log: () => log, workerPids: () => childrenOf(child.pid as number) }
}

test('an async function that throws something odd costs its own request a 500 and the worker nothing', async (t) => {
  const server = await startServer(t, (_req, res) => void res.end('fine'))
  const weir = await startWithFunctions(
    t,
    server.address,
    `{
      '=/async': async () => { throw Object.create(null) },
      '=/sync': () => { throw Object.create(null) },
      '=/stack': async () => { const e = new Error('x'); e.stack = 5; throw e },
    }`,
  )
  const workers = weir.workerPids()
  for (const path of ['/sync', '/async', '/stack']) {
    assert.equal((await ask(t, weir.port, `GET ${path}`)).status, 500, path)
  }
  assert.deepEqual(weir.workerPids(), workers, weir.log())
})

test('an answer of a function with a status that is none is a 500', async (t) => {
  const server = await startServer(t, (_req, res) => void res.end('fine'))
  const weir = await startWithFunctions(
    t,
    server.address,
    `{
      '=/none': () => ({ answer: {} }),
      '=/text': () => ({ answer: { status: 'abc' } }),
      '=/interim': () => ({ answer: { status: 100, body: 'x' } }),
      '=/switching': () => ({ answer: { status: 101 } }),
      '=/large': () => ({ answer: { status: 99999 } }),
      '=/negative': () => ({ answer: { status: -1 } }),
      '=/object': () => ({ answer: { status: 200, body: { a: 1 } } }),
      '=/redirect': () => ({ redirect: { to: '/x', status: 100 } }),
    }`,
  )
  for (const path of ['none', 'text', 'interim', 'switching', 'large', 'negative', 'object', 'redirect']) {
    const client = await connect(t, weir.port)
    client.request(`GET /${path}`)
    assert.equal((await client.readHead()).status, 500, path)
    client.socket.destroy()
  }
})

test('a function may set the Content-Type of the request that goes to the server', async (t) => {
  const server = await answering(t, response('fine'))
  const weir = await startWithFunctions(t, server.address, `{ '/': (request) => request.setHeader('content-type', 'text/plain') }`)
  assert.equal((await ask(t, weir.port, 'POST /', {}, 'body')).status, 200)
  assert.match(server.heads[0] ?? '', /content-type: text\/plain/i)
})

test('a thenable is waited for like a promise', async (t) => {
  const server = await startServer(t, (_req, res) => void res.end('fine'))
  const weir = await startWithFunctions(
    t,
    server.address,
    `{ '/': () => ({ then(resolve) { setTimeout(() => resolve({ answer: { status: 201 } }), 5) } }) }`,
  )
  assert.equal((await ask(t, weir.port)).status, 201)
})

test('async functions that settle at once leave nothing behind', async (t) => {
  const server = await startServer(t, (_req, res) => void res.end('fine'))
  const weir = await startWithFunctions(t, server.address, `{ '/': async (request) => { request.setHeader('x-a', 'b') } }`)
  const [worker] = weir.workerPids() as [number]
  const client = await connect(t, weir.port)
  const round = async (requests: number) => {
    for (let left = requests; left > 0; left -= 50) {
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(50))
      for (let i = 0; i < 50; i++) assert.equal((await client.readResponse()).text, 'fine')
    }
  }
  await round(3_000)
  const before = residentBytes(worker)
  await round(6_000)
  const grown = residentBytes(worker) - before
  assert.deepEqual(weir.workerPids(), [worker])
  assert.ok(grown < 20e6, `grown by ${grown} bytes`)
})

test('a worker that dies while the file of the config is broken is replaced nevertheless', async (t) => {
  const server = await startServer(t, (_req, res) => void res.end('fine'))
  const weir = await startWithFunctions(t, server.address, `{ '/a': () => undefined }`)
  writeFileSync(weir.path, 'export default {')
  const [worker] = weir.workerPids() as [number]
  process.kill(worker, 'SIGKILL')
  await until(() => weir.workerPids().length === 1 && weir.workerPids()[0] !== worker, { what: 'another worker is there' })
  const client = await connect(t, weir.port)
  client.request('GET /')
  assert.equal((await client.readResponse({ within: 10_000 })).text, 'fine', weir.log())
})
