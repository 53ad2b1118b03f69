import assert from 'node:assert/strict'
import { test } from 'node:test'
import { opened, token, viewToken } from './lib/opened.ts'

const bearer = (text: string) => ({ authorization: `Bearer ${text}` })
const drain = { method: 'POST', body: { server: 'api/a' } }

test('without a token nothing but readiness and the page is answered', async (t) => {
  const weir = await opened(t, { token })
  for (const path of ['/metrics', '/api/status', '/api/live', '/api/live/stream']) {
    const { status, headers, json } = await weir.ask(path)
    assert.equal(status, 401, path)
    assert.equal(headers['www-authenticate'], 'Bearer realm="weir"')
    assert.match(json.error?.message ?? '', /token/)
  }
  assert.equal((await weir.ask('/api/drain', drain)).status, 401)
  assert.equal(weir.fake.table.get('api/a')?.record.admin, 'ready')
  assert.equal((await weir.ask('/')).status, 200)
})

test('a token in the header field opens all of it, a wrong one nothing, whatever the cookie says', async (t) => {
  const weir = await opened(t, { token })
  for (const path of ['/metrics', '/api/status', '/api/live'])
    assert.equal((await weir.ask(path, { headers: bearer(token) })).status, 200, path)
  const cookie = await cookieOf(weir)
  for (const wrong of [`${token}x`, token.slice(1), '', token.toUpperCase()])
    assert.equal((await weir.ask('/api/status', { headers: { ...bearer(wrong), cookie } })).status, 401, wrong)
  assert.equal((await weir.ask('/api/status', { headers: { authorization: `Basic ${token}` } })).status, 401)
  assert.ok(weir.fake.lines.some((line) => /^admin: wrong token \(HTTP from 127\.0\.0\.1\)$/.test(line)))
  assert.ok(!weir.fake.lines.some((line) => line.includes(token)), 'a token is never written down')
})

async function cookieOf(weir: Awaited<ReturnType<typeof opened>>, with_ = token): Promise<string> {
  const { status, headers } = await weir.ask('/login', { method: 'POST', body: { token: with_ } })
  assert.equal(status, 200)
  return (headers['set-cookie']?.[0] ?? '').split(';')[0] as string
}

test('a login gives a cookie that no script reads and no other site sends', async (t) => {
  const weir = await opened(t, { token, viewToken })
  const { headers, json } = await weir.ask('/login', { method: 'POST', body: { token } })
  assert.match(headers['set-cookie']?.[0] ?? '', /^weir_admin=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
  assert.ok(!headers['set-cookie']?.[0]?.includes(token))
  assert.deepEqual(json, { level: 'operate' })
  const cookie = `other=1; ${await cookieOf(weir)}`
  assert.equal((await weir.ask('/api/drain', { ...drain, headers: { cookie } })).status, 200)
  assert.equal(weir.fake.table.get('api/a')?.record.admin, 'drain')
  const out = await weir.ask('/logout', { method: 'POST', headers: { cookie } })
  assert.deepEqual([out.status, /Max-Age=0/.test(out.headers['set-cookie']?.[0] ?? '')], [204, true])
  for (const bad of ['weir_admin=', `weir_admin=${token}`, `${cookie}x`])
    assert.equal((await weir.ask('/api/status', { headers: { cookie: bad } })).status, 401)
  for (const body of [{ token: 'wrong' }, {}, { token: 7 }, '[]', 'null', '{'])
    assert.ok(
      [400, 401, 415].includes(
        (await weir.ask('/login', { method: 'POST', body, headers: { 'content-type': 'application/json' } })).status,
      ),
    )
  assert.equal((await weir.ask('/login')).status, 405)
})

test('who may only look changes nothing', async (t) => {
  const weir = await opened(t, { token, viewToken })
  for (const headers of [bearer(viewToken), { cookie: await cookieOf(weir, viewToken) }]) {
    assert.equal((await weir.ask('/metrics', { headers })).status, 200)
    assert.equal((await weir.ask('/api/status', { headers })).status, 200)
    assert.equal((await weir.ask('/api/figures', { method: 'POST', headers, body: { upstream: 'api' } })).status, 200)
    for (const [verb, body] of Object.entries({
      drain: { server: 'api/a' },
      drain2: {},
      stop: {},
      reload: {},
      figures: { upstream: 'api', restartHold: true },
    })) {
      const { status } = await weir.ask(`/api/${verb}`, { method: 'POST', headers, body })
      assert.equal(status, verb === 'drain2' ? 404 : 409, verb)
    }
  }
  assert.deepEqual(weir.fake.asked, [])
  assert.equal(weir.fake.table.get('api/a')?.record.admin, 'ready')
})

test('on a loopback address only names that nobody else can give to it are answered', async (t) => {
  const weir = await opened(t, { hosts: ['weir.example.com'] })
  const ask = async (host: string) => (await weir.ask('/api/status', { headers: { host } })).status
  for (const host of ['localhost', 'localhost:9900', 'LOCALHOST', '127.0.0.1:1', '[::1]:9900', 'weir.example.com', 'weir.example.com:443'])
    assert.equal(await ask(host), 200, host)
  for (const host of [
    'evil.example',
    'evil.example:9900',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.weir.example.com',
    '10.0.0.1',
    '[',
  ])
    assert.equal(await ask(host), 421, host)
  assert.equal((await weir.ask('/', { headers: { host: 'evil.example' } })).status, 421)
  assert.equal((await weir.ask('/metrics', { headers: { host: 'evil.example' } })).status, 421)
})

test('pages of other sites can neither change nor read anything', async (t) => {
  const weir = await opened(t)
  const host = weir.server.address
  const ask = async (headers: Record<string, string>) => (await weir.ask('/api/drain', { ...drain, headers: { host, ...headers } })).status
  for (const headers of [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: `http://${host}.evil.example` },
    { origin: 'http://127.0.0.1:1' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: `http://${host}`, 'sec-fetch-site': 'cross-site' },
  ])
    assert.equal(await ask(headers as Record<string, string>), 403, JSON.stringify(headers))
  const form = { method: 'POST', body: '{"server":"api/a"}' }
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonx', ''])
    assert.equal((await weir.ask('/api/drain', { ...form, headers: type === '' ? {} : { 'content-type': type } })).status, 415, type)
  assert.equal((await weir.ask('/api/drain?server=api/a')).status, 405)
  assert.equal((await weir.ask('/api/live', { headers: { 'sec-fetch-site': 'cross-site' } })).status, 403)
  assert.equal(weir.fake.table.get('api/a')?.record.admin, 'ready')
  assert.equal(await ask({ origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }), 200)
  assert.equal(weir.fake.table.get('api/a')?.record.admin, 'drain')
})
