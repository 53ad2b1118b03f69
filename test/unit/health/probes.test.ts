import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ProbeResult } from '../../../src/primary/health/probe.ts'
import { type HttpProber, httpProber } from '../../../src/primary/health/probe-http.ts'
import { probeTcp } from '../../../src/primary/health/probe-tcp.ts'
import type { ResolvedAddress } from '../../../src/shared/ipc/protocol.ts'
import { answering, flooding, type HttpCheck, httpCheck, probeConfig, rawServer, until } from './fixtures.ts'

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const never = new AbortController().signal
const timeoutMs = 300

function prober(t: TestContext): HttpProber {
  const made = httpProber()
  t.after(() => made.close())
  return made
}

async function ask(t: TestContext, serve: (socket: Socket) => void, check: Partial<HttpCheck> = {}): Promise<ProbeResult> {
  const server = await rawServer(t, serve)
  const result = await prober(t).probe(server.address, probeConfig(httpCheck(check)), timeoutMs, never)
  assert.ok(result.latencyMs < timeoutMs + 250, `took ${result.latencyMs} ms`)
  return result
}

function assertResult(result: ProbeResult, expected: Partial<ProbeResult>): void {
  const { latencyMs, ...rest } = result
  assert.ok(latencyMs >= 0)
  assert.deepEqual(rest, expected)
}

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

test('a TCP check passes when the connection stands, and ends it without a reset though the server says hello', async (t) => {
  const ends: string[] = []
  const server = await rawServer(t, (socket) => {
    socket.on('error', (error) => ends.push(error.message)).on('end', () => ends.push('end'))
    socket.resume()
    // A greeting that comes when the check is over already.
    setImmediate(() => setImmediate(() => socket.write('220 mail.example ESMTP\r\n', () => setImmediate(() => socket.end()))))
    socket.on('close', () => ends.push('close'))
  })
  assertResult(await probeTcp(server.address, probeConfig({ kind: 'tcp' }), timeoutMs, never), {
    ok: true,
    code: 'L4OK',
    reason: 'connected',
  })
  await until(() => ends.length === 2, 'the connection ends')
  assert.deepEqual(ends, ['end', 'close'])
})

test('a TCP check leaves a server that never closes, or that talks without an end', async (t) => {
  const server = await rawServer(t, (socket) => {
    socket.on('end', () => {
      const more = () => {
        while (!socket.destroyed && socket.write('x'.repeat(10_000)));
      }
      socket.on('drain', more)
      more()
    })
    socket.resume()
  })
  assert.equal((await probeTcp(server.address, probeConfig({ kind: 'tcp' }), timeoutMs, never)).ok, true)
  const connectedAt = performance.now()
  await until(() => server.sockets[0]?.destroyed === true, 'the connection is cut')
  // Not when the time to say goodbye is over, but when too much has come.
  assert.ok(performance.now() - connectedAt < 900)
})

test('a TCP check waits a second for the goodbye of a server, and no longer', async (t) => {
  const server = await rawServer(t, (socket) => socket.resume())
  await probeTcp(server.address, probeConfig({ kind: 'tcp' }), timeoutMs, never)
  await until(() => server.sockets.length === 1 && server.sockets[0]!.readableEnded, 'our goodbye')
  // A write to a connection that the other side gave up is answered with a reset.
  const writing = setInterval(() => server.sockets[0]!.write('.'), 20)
  t.after(() => clearInterval(writing))
  await until(() => server.sockets[0]!.destroyed, 'the connection is gone')
})

test('a port that refuses is said to refuse', async () => {
  const address = { ip: '127.0.0.1', port: await freePort() }
  const refused = { ok: false, code: 'L4CON', reason: 'connection refused' } as const
  assertResult(await probeTcp(address, probeConfig({ kind: 'tcp' }), timeoutMs, never), refused)
  assertResult(await httpProber().probe(address, probeConfig(httpCheck()), timeoutMs, never), refused)
})

/** Listens, and never accepts: two connections fill its queue, and the packets of further ones are dropped. */
const stuckServer = `
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    process.send(server.address().port, () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
  })`

test('a server that drops packets is given up when the time is over', async (t) => {
  const child = spawn(process.execPath, ['-e', stuckServer], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  t.after(() => child.kill('SIGKILL'))
  const [port] = (await once(child, 'message')) as [number]
  const fillers = Array.from({ length: 4 }, () => connect({ port, host: '127.0.0.1' }).on('error', () => undefined))
  t.after(() => fillers.forEach((socket) => socket.destroy()))
  await until(() => fillers.filter((socket) => !socket.connecting).length >= 2, 'its queue is full')
  const late = { ok: false, code: 'L4TOUT', reason: 'no connection in 100ms' } as const
  const address = { ip: '127.0.0.1', port }
  assertResult(await probeTcp(address, probeConfig({ kind: 'tcp' }), 100, never), late)
  assertResult(await prober(t).probe(address, probeConfig(httpCheck()), 100, never), late)
})

test('checks work over unix sockets', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-'))
  const path = join(directory, 'server.sock')
  let host = ''
  const server = createHttpServer((request, response) => {
    host = request.headers.host ?? ''
    response.end()
  }).listen(path)
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
    rmSync(directory, { recursive: true })
  })
  assert.equal((await probeTcp({ path }, probeConfig({ kind: 'tcp' }), timeoutMs, never)).ok, true)
  assertResult(await prober(t).probe({ path }, probeConfig(httpCheck()), timeoutMs, never), {
    ok: true,
    code: 'L7OK',
    status: 200,
    reason: 'status 200',
  })
  assert.equal(host, 'localhost')
  const absent = await probeTcp({ path: join(directory, 'absent') }, probeConfig({ kind: 'tcp' }), timeoutMs, never)
  assertResult(absent, { ok: false, code: 'L4CON', reason: 'no such socket' })
})

test('the request is the one that is configured', async (t) => {
  let text = ''
  const recording = (socket: Socket) =>
    socket.on('data', (chunk) => {
      text += chunk
      socket.write(ok)
    })
  const check = { method: 'POST', path: '/live?deep=1', host: 'status.example', headers: [['X-Check', 'yes']] as [string, string][] }
  const result = await ask(t, recording, check)
  assert.equal(result.ok, true)
  assert.equal(text, 'POST /live?deep=1 HTTP/1.1\r\nhost: status.example\r\nuser-agent: weir\r\ncontent-length: 0\r\nx-check: yes\r\n\r\n')
})

test('the server is named by its configured address where the check names no host', async (t) => {
  let text = ''
  const recording = (socket: Socket) =>
    socket.on('data', (chunk) => {
      text += chunk
      socket.write(ok)
    })
  await ask(t, recording)
  assert.match(text, /\r\nhost: app\.internal:8080\r\n/)
})

test('a check that cannot be written as a request fails and does not throw', async (t) => {
  const result = await ask(t, answering(ok), { headers: [['x', 'a\r\nb: c']] })
  assert.deepEqual([result.ok, result.reason], [false, 'the check is no valid request'])
})

const statuses: [what: string, answer: string, check: Partial<HttpCheck>, expected: Partial<ProbeResult>][] = [
  ['a wanted status', ok, {}, { ok: true, code: 'L7OK', status: 200, reason: 'status 200' }],
  ['another status', 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n', {}, { ok: false, code: 'L7STS', status: 503, reason: 'status 503' }],
  [
    'a redirect where only 200 is wanted',
    'HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n',
    { statuses: [[200, 200]] },
    { ok: false, code: 'L7STS', status: 302, reason: 'status 302' },
  ],
  [
    'the status that asks for a drain',
    'HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n',
    { softStop: 404 },
    { ok: true, code: 'L7OKC', status: 404, reason: 'status 404: asks to be drained', drain: true },
  ],
  ['the wanted text', ok, { body: 'ok' }, { ok: true, code: 'L7OK', status: 200, reason: 'status 200' }],
  ['the wanted pattern', ok, { body: { regex: '^o.$' } }, { ok: true, code: 'L7OK', status: 200, reason: 'status 200' }],
  ['another text', ok, { body: 'fine' }, { ok: false, code: 'L7STS', status: 200, reason: 'status 200, but not the body' }],
]

for (const [what, answer, check, expected] of statuses) {
  test(`an HTTP check judges ${what}`, async (t) => assertResult(await ask(t, answering(answer), check), expected))
}

test('a text beyond the first 64 KiB of a body is not found', async (t) => {
  const body = `${'x'.repeat(70_000)}here`
  const result = await ask(t, answering(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`), { body: 'here' })
  assert.equal(result.code, 'L7STS')
})

const bad: [what: string, serve: (socket: Socket) => void, code: string, reason: RegExp][] = [
  ['accepts and says nothing', (socket) => socket.resume(), 'L7TOUT', /no answer in 300ms/],
  ['never ends its head', answering('HTTP/1.1 200 OK\r\nX-A: b\r\n'), 'L7TOUT', /no answer/],
  ['never ends its body', answering('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'), 'L7TOUT', /no end of the answer/],
  ['never ends its chunks', answering('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n'), 'L7TOUT', /no end of the answer/],
  ['trickles its head', trickling('HTTP/1.1 200 OK\r\n', 'X-Slow: 1\r\n'), 'L7TOUT', /no answer/],
  ['trickles its body', trickling('HTTP/1.1 200 OK\r\n\r\n', 'x'), 'L7TOUT', /no end of the answer/],
  ['floods with a body', flooding('HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(65_536)), 'L7RSP', /1 MiB/],
  ['floods with chunks', flooding('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '2\r\nxx\r\n'.repeat(1000)), 'L7RSP', /1 MiB/],
  ['floods with headers', flooding('HTTP/1.1 200 OK\r\n', 'X-A: b\r\n'.repeat(1000)), 'L7RSP', /16 KiB/],
  ['floods with interim answers', flooding('', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)), 'L7RSP', /interim/],
  ['sends garbage', answering(Buffer.from('00ff10deadbeef0a0d0a0d0a', 'hex')), 'L7RSP', /no HTTP answer/],
  ['speaks TLS', answering(Buffer.from('15030100020246', 'hex')), 'L7RSP', /no HTTP answer/],
  ['closes when it is asked', (socket) => socket.once('data', () => socket.end()), 'L7RSP', /closed without an answer/],
  [
    'closes within its body',
    (socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab')),
    'L7RSP',
    /broke off/,
  ],
  ['resets', (socket) => socket.once('data', () => socket.resetAndDestroy()), 'L7RSP', /connection reset/],
]

for (const [what, serve, code, reason] of bad) {
  test(`a server that ${what} fails in time and is left`, async (t) => {
    const server = await rawServer(t, serve)
    const result = await prober(t).probe(server.address, probeConfig(httpCheck()), timeoutMs, never)
    assert.deepEqual([result.ok, result.code], [false, code])
    assert.match(result.reason, reason)
    assert.ok(result.latencyMs < timeoutMs + 250, `took ${result.latencyMs} ms`)
    for (const socket of server.sockets) socket.on('error', () => undefined).resume()
    await until(() => server.sockets.every((socket) => socket.destroyed || socket.readableEnded), 'the connection is closed')
  })
}

function trickling(head: string, drop: string): (socket: Socket) => void {
  return (socket) => {
    socket.once('data', () => {
      socket.write(head)
      const timer = setInterval(() => socket.write(drop), 10)
      socket.once('close', () => clearInterval(timer)).once('end', () => clearInterval(timer))
    })
  }
}

test('floods cost no memory', async (t) => {
  const server = await rawServer(t, flooding('HTTP/1.1 200 OK\r\n\r\n', Buffer.alloc(1_000_000)))
  const http = prober(t)
  const before = process.memoryUsage().arrayBuffers
  const all = Array.from({ length: 20 }, () =>
    http.probe(server.address, probeConfig(httpCheck({ body: 'x' })), 2000, new AbortController().signal),
  )
  for (const result of await Promise.all(all)) assert.equal(result.code, 'L7RSP')
  const grown = process.memoryUsage().arrayBuffers - before
  assert.ok(grown < 40e6, `${grown} bytes`)
})

interface Counted {
  address: ResolvedAddress
  connections(): number
  close(): void
}

async function httpServer(t: TestContext, listener: RequestListener, options: { keepAliveTimeout?: number } = {}): Promise<Counted> {
  let connections = 0
  const server = createHttpServer(options, listener).on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  t.after(close)
  return { address: { ip: '127.0.0.1', port: (server.address() as AddressInfo).port }, connections: () => connections, close }
}

test('checks of one server use one connection again and again', async (t) => {
  const server = await httpServer(t, (_request, response) => response.end('ok'), { keepAliveTimeout: 60_000 })
  const http = prober(t)
  const config = probeConfig(httpCheck())
  for (let i = 0; i < 10; i++) assert.equal((await http.probe(server.address, config, timeoutMs, never)).ok, true)
  assert.equal(server.connections(), 1)
})

test('of checks that run together one connection is kept', async (t) => {
  const answers: ServerResponse[] = []
  const server = await httpServer(t, (_request, response) => answers.push(response), { keepAliveTimeout: 60_000 })
  const http = prober(t)
  const config = probeConfig(httpCheck())
  const all = Array.from({ length: 3 }, () => http.probe(server.address, config, 2000, never))
  await until(() => answers.length === 3, 'three requests')
  for (const response of answers) response.end()
  await Promise.all(all)
  const open = () => answers.filter((response) => response.req.socket.destroyed === false).length
  await until(() => open() === 1, 'two are closed')
})

test('a kept connection that the server closed meanwhile is no failure', async (t) => {
  const sockets: Socket[] = []
  const server = await rawServer(t, (socket) => {
    let asked = 0
    sockets.push(socket)
    // The second request on a connection meets a server that is just going.
    socket.on('data', () => (asked++ === 0 ? socket.write(ok) : socket.resetAndDestroy()))
  })
  const http = prober(t)
  const config = probeConfig(httpCheck())
  for (let i = 0; i < 4; i++) assert.equal((await http.probe(server.address, config, timeoutMs, never)).ok, true)
  assert.ok(sockets.length >= 3)
})

test('a kept connection on which the server speaks unasked is not used again', async (t) => {
  const server = await rawServer(t, (socket) => socket.on('data', () => socket.write(ok)))
  const http = prober(t)
  const config = probeConfig(httpCheck())
  await http.probe(server.address, config, timeoutMs, never)
  server.sockets[0]!.write('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n')
  await until(() => server.sockets[0]!.readableEnded || server.sockets[0]!.destroyed, 'it is closed')
  assert.equal((await http.probe(server.address, config, timeoutMs, never)).status, 200)
  assert.equal(server.sockets.length, 2)
})

for (const [version, header] of [
  ['v1', Buffer.from('PROXY UNKNOWN\r\n')],
  ['v2', Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex')],
] as const) {
  test(`connections begin with a PROXY header ${version} where servers want one, each check on its own`, async (t) => {
    const got: Buffer[] = []
    const server = await rawServer(t, (socket) => {
      const at = got.push(Buffer.alloc(0)) - 1
      socket.on('data', (chunk) => {
        got[at] = Buffer.concat([got[at]!, chunk])
        if (got[at]!.includes('\r\n\r\n', header.length)) socket.write(ok)
      })
      socket.on('end', () => socket.end())
    })
    const http = prober(t)
    const config = probeConfig(httpCheck(), version)
    for (let i = 0; i < 2; i++) assert.equal((await http.probe(server.address, config, timeoutMs, never)).ok, true)
    await probeTcp(server.address, probeConfig({ kind: 'tcp' }, version), timeoutMs, never)
    await until(() => got.length === 3 && got[2]!.length >= header.length, 'three connections')
    for (const bytes of got) assert.deepEqual(bytes.subarray(0, header.length), header)
    assert.match(got[0]!.subarray(header.length).toString(), /^GET \/healthz HTTP\/1\.1\r\n/)
    assert.equal(got[2]!.length, header.length)
  })
}

test('a check that is aborted settles at once and closes its connection', async (t) => {
  const server = await rawServer(t, (socket) => socket.resume())
  const abort = new AbortController()
  const asked = prober(t).probe(server.address, probeConfig(httpCheck()), 60_000, abort.signal)
  await until(() => server.sockets.length === 1, 'it is connected')
  abort.abort()
  assertResult(await asked, { ok: false, code: 'SOCKERR', reason: 'the check was ended' })
  await until(() => server.sockets[0]!.readableEnded, 'it is closed')
  const early = await probeTcp(server.address, probeConfig({ kind: 'tcp' }), 60_000, abort.signal)
  assert.equal(early.code, 'SOCKERR')
})
