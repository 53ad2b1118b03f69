import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { formatFor } from '../../../src/primary/admin/scrape.ts'
import { until } from '../control/fixtures.ts'
import { type Opened, opened } from './lib/opened.ts'

test('verbs answer the envelope of the control socket, and leave its line in the log', async (t) => {
  const weir = await opened(t)
  const { status, json } = await weir.ask('/api/drain', { method: 'POST', body: { server: 'api/a' } })
  assert.equal(status, 200)
  assert.deepEqual([json['schema'], json['generation'], json.data?.['changed']], ['weir.drain/1', 8, true])
  assert.ok(weir.fake.lines.includes('control: drain api/a (HTTP from 127.0.0.1): changed'), weir.fake.lines.join('\n'))
  for (const read of [await weir.ask('/api/status'), await weir.ask('/api/status', { method: 'POST', body: {} })]) {
    assert.equal(read.json['schema'], 'weir.status/1')
    assert.equal(read.json.data?.['configFile'], '/etc/weir.yaml')
  }
  assert.equal((await weir.ask('/api/workers')).json['schema'], 'weir.workers/1')
})

test('what cannot be done has a status, and the reason of the control socket', async (t) => {
  const weir = await opened(t)
  const post = async (verb: string, body: object | string) => {
    const { status, json } = await weir.ask(`/api/${verb}`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    return [status, json.error?.code]
  }
  assert.deepEqual(await post('drain', { server: 'api/nobody' }), [404, 'unknown-name'])
  assert.deepEqual(await post('drian', {}), [404, 'unknown-verb'])
  assert.deepEqual(await post('__proto__', {}), [404, 'unknown-verb'])
  assert.deepEqual(await post('drain', {}), [400, 'bad-request'])
  assert.deepEqual(await post('drain', { server: 'api/a', sevrer: 1 }), [400, 'bad-request'])
  assert.deepEqual(await post('drain', { server: 5 }), [400, 'bad-request'])
  for (const body of ['[1]', '"x"', 'null', '{', '{"server":"api/a"} x', 'NaN'])
    assert.deepEqual(await post('drain', body), [400, 'bad-request'], body)
  assert.deepEqual(await post('drain', { verb: 'stop', server: 'api/b' }), [200, undefined])
  assert.deepEqual(weir.fake.asked, [])
  assert.deepEqual(await post('drain', { server: 'api/a' }), [409, 'refused'])
  assert.deepEqual(await post('wait', { server: 'api/c', condition: 'up', timeoutMs: 10 }), [504, 'late'])
})

test('reads need no body, changes are not read', async (t) => {
  const weir = await opened(t)
  for (const [path, allow] of [
    ['/api/drain', 'POST'],
    ['/api/figures', 'POST'],
    ['/api/nothing', 'POST'],
    ['/login', 'POST'],
  ]) {
    const { status, headers } = await weir.ask(path as string)
    assert.deepEqual([status, headers.allow], [405, allow], path)
  }
  assert.equal((await weir.ask('/api/status', { method: 'DELETE' })).status, 405)
  assert.equal((await weir.ask('/metrics', { method: 'POST', body: {} })).status, 405)
  for (const path of ['/nothing', '/api', '/../etc/passwd', '/page/../../server.ts', '/page/%2e%2e/page.ts', '/metrics/', '//'])
    assert.equal((await weir.ask(path)).status, 404, path)
})

test('a body has 64 KiB at most, and is UTF-8', async (t) => {
  const weir = await opened(t)
  const headers = { 'content-type': 'application/json' }
  const large = `{"server":"${'x'.repeat(70_000)}"}`
  const { status, json } = await weir.ask('/api/drain', { method: 'POST', body: large, headers })
  assert.deepEqual([status, json.error?.code], [413, 'bad-request'])
  assert.equal(
    (await weir.ask('/api/drain', { method: 'POST', body: large, headers: { ...headers, 'transfer-encoding': 'chunked' } })).status,
    413,
  )
  const raw = await sent(
    t,
    weir,
    `POST /api/drain HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"\xff\xfe"`,
  )
  assert.match(raw, /^HTTP\/1\.1 400 /)
})

function sent(t: TestContext, weir: Opened, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(weir.server.address.split(':').at(-1)), '127.0.0.1', () => socket.write(bytes, 'latin1'))
    t.after(() => void socket.destroy())
    let text = ''
    socket.setEncoding('latin1').on('data', (part) => {
      text += part
    })
    socket.on('error', reject).on('close', () => resolve(text))
  })
}

test('bytes that are no HTTP are answered by closing, and change nothing', async (t) => {
  const weir = await opened(t)
  for (const bytes of [
    '\x16\x03\x01\x02\x00\x01\x00',
    'GET / HTTP/9.9\r\n\r\n',
    `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`,
    'GET /ready HTTP/1.1\r\n\r\n',
  ])
    assert.match(await sent(t, weir, bytes), /^HTTP\/1\.1 4\d\d /, bytes.slice(0, 20))
  assert.equal((await weir.ask('/ready')).status, 200)
})

test('every answer is neither stored, framed nor sniffed', async (t) => {
  const weir = await opened(t)
  for (const path of ['/', '/ready', '/metrics', '/api/status', '/api/live', '/nothing']) {
    const { headers } = await weir.ask(path)
    assert.equal(headers['cache-control'], 'no-store', path)
    assert.equal(headers['x-content-type-options'], 'nosniff', path)
    assert.equal(headers['x-frame-options'], 'DENY', path)
    assert.match(String(headers['content-security-policy']), /^default-src 'none'; script-src 'self';.*frame-ancestors 'none'$/, path)
  }
})

test('scrapers get the format that they ask for', async (t) => {
  const weir = await opened(t)
  const { headers, text } = await weir.ask('/metrics')
  assert.deepEqual([headers['content-type'], text], ['text/plain; version=0.0.4; charset=utf-8', 'weir_up 1\n'])
  const accept = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1'
  assert.match(
    String((await weir.ask('/metrics', { headers: { accept } })).headers['content-type']),
    /^application\/openmetrics-text; version=1\.0\.0/,
  )
  assert.deepEqual(weir.made.scrapes, ['text', 'openmetrics'])
  const formats: [string | undefined, string][] = [
    [undefined, 'text'],
    ['*/*', 'text'],
    ['text/plain, application/openmetrics-text;q=0.9', 'text'],
    ['application/openmetrics-text;q=0', 'text'],
    [';;q=,,=', 'text'],
    ['Application/OpenMetrics-Text', 'openmetrics'],
  ]
  for (const [given, format] of formats) assert.equal(formatFor(given), format, given)
})

test('scrapers that do not read are broken off before they hold many answers', async (t) => {
  const weir = await opened(t)
  const sockets = Array.from({ length: 6 }, () => connect(Number(weir.server.address.split(':').at(-1)), '127.0.0.1'))
  t.after(() => sockets.forEach((socket) => void socket.destroy()))
  let closed = 0
  for (const socket of sockets) {
    weir.text = Buffer.alloc(16_000_000, '#')
    const before = weir.made.scrapes.length
    socket.on('error', () => undefined).on('close', () => closed++)
    socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await until(() => weir.made.scrapes.length > before, 'the scrape began')
  }
  // Nobody reads, so it shows when the others read on.
  await until(() => {
    for (const socket of sockets.slice(0, 2)) socket.resume()
    return closed >= 2
  }, 'the first two are broken off')
  weir.text = Buffer.from('weir_up 1\n')
  assert.equal((await weir.ask('/metrics')).text, 'weir_up 1\n')
})

test('live views come in the envelope, and as events of their own', async (t) => {
  const weir = await opened(t)
  const { json } = await weir.ask('/api/live?window=5m')
  assert.deepEqual([json['schema'], json.data], ['weir.live/1', { window: '5m', uptimeSeconds: 1 }])
  assert.equal((await weir.ask('/api/live')).json.data?.['window'], '10s')
  for (const path of ['/api/live?window=7s', '/api/live/stream?window=', '/api/live/stream?window=__proto__'])
    assert.equal((await weir.ask(path)).status, 400, path)
  const events = await stream(t, weir, '/api/live/stream?window=1m')
  await until(() => events.text.split('\n\n').length > 2, 'two events')
  assert.match(
    events.text,
    /^HTTP\/1\.1 200 [\s\S]*content-type: text\/event-stream[\s\S]*\r\n\r\n[\s\S]*event: live\ndata: \{"window":"1m"/i,
  )
})

test('all who watch a window share its views, and those beyond the limit are told so', async (t) => {
  const weir = await opened(t)
  const viewers = await Promise.all(Array.from({ length: 32 }, () => stream(t, weir, '/api/live/stream')))
  await until(() => viewers.every(({ text }) => text.includes('event: live')), 'everybody has a view')
  const before = weir.made.views.length
  await until(() => weir.made.views.length > before + 1, 'two more views')
  assert.ok(weir.made.views.length - before < 4, 'one view for all of them')
  const { status, headers } = await weir.ask('/api/live/stream')
  assert.deepEqual([status, headers['retry-after']], [503, '5'])
  viewers[0]?.end()
  await until(() => viewers[0]?.isEnded === true, 'one left')
  const next = await stream(t, weir, '/api/live/stream')
  await until(() => next.text.startsWith('HTTP/1.1 200'), 'there is room again')
})

async function stream(t: TestContext, weir: Opened, path: string) {
  const socket = connect(Number(weir.server.address.split(':').at(-1)), '127.0.0.1')
  t.after(() => void socket.destroy())
  const seen = { text: '', isEnded: false, end: () => void socket.destroy() }
  socket.setEncoding('utf8').on('data', (part: string) => {
    seen.text += part
  })
  socket
    .on('error', () => undefined)
    .on('close', () => {
      seen.isEnded = true
    })
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  await until(() => seen.text !== '', 'an answer')
  return seen
}
