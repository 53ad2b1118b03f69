import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import WebSocket from 'ws'
import { inTime, type Scope } from '../scenario/lib/wait.ts'
import { checkConfig } from './lib/check-config.ts'
import { proveRollingDeploy } from './lib/rolling-deploy.ts'
import { runExample, type Seen } from './lib/running-example.ts'
import { root, textOf } from './lib/sources.ts'

const folders = readdirSync(join(root, 'examples')).sort()
const isConfig = (name: string) => /^weir\.(yaml|config\.ts)$/.test(name)
const configIn = (folder: string) => readdirSync(join(root, 'examples', folder)).find(isConfig) ?? 'none'
const proven: string[] = []

/** A test that runs the example and is its proof. */
function example(folder: string, serversAreDown: boolean, prove: (address: string, scope: Scope) => Promise<void>): void {
  proven.push(folder)
  test(`examples/${folder} does what its README says`, async (t) =>
    prove(await runExample(t, { folder, config: configIn(folder), serversAreDown }), t))
}

const get = (address: string, path: string, headers: Record<string, string> = {}) =>
  fetch(`http://${address}${path}`, { headers, redirect: 'manual' })
const seen = async (address: string, path: string, headers: Record<string, string> = {}) =>
  (await (await get(address, path, headers)).json()) as Seen

for (const folder of folders) {
  test(`examples/${folder} passes weir check without a warning, and explains itself`, async () => {
    const { code, out, err } = await checkConfig(join(root, 'examples', folder, configIn(folder)))
    assert.deepEqual({ code, err }, { code: 0, err: '' }, out)
    const readme = textOf(`examples/${folder}/README.md`)
    assert.ok(readme.startsWith(`# ${folder}\n`) && readme.includes(`weir run ${configIn(folder)}`), readme)
    assert.ok(readme.split('\n').length <= 15, 'an example is explained in ten lines or so')
  })
}

example('http-basic', false, async (address) => {
  const answer = await get(address, '/api/x')
  assert.deepEqual([answer.status, answer.headers.get('server')], [200, null])
  assert.equal(await (await get(address, '/health')).text(), 'ok\n')
  const elsewhere = await get(address, '/elsewhere')
  assert.deepEqual([elsewhere.status, elsewhere.headers.get('location')], [307, '/api/'])
})

example('typescript', false, async (address) => {
  const refused = await get(address, '/admin/')
  assert.deepEqual([refused.status, await refused.text()], [401, 'sign in first\n'])
  const welcome = await seen(address, '/admin/', { authorization: 'me' })
  assert.equal(welcome.headers['x-from'], '127.0.0.1')
  const ports = await Promise.all(['a', 'a', 'ab', 'ab'].map(async (user) => (await seen(address, '/', { cookie: `user=${user}` })).port))
  assert.ok(ports[0] === ports[1] && ports[2] === ports[3] && ports[0] !== ports[2], String(ports))
})

example('rewrite-and-split', false, async (address) => {
  assert.equal((await seen(address, '/articles/42')).url, '/posts/42.html')
  assert.equal((await seen(address, '/old-blog/2009/may')).url, '/archive/2009/may')
  const served = new Map<string, number>()
  for (let i = 0; i < 200; i++) {
    const answer = await get(address, '/shop/cart?item=7')
    assert.equal(((await answer.json()) as Seen).url, '/cart?item=7')
    const by = answer.headers.get('x-served-by') ?? ''
    served.set(by, (served.get(by) ?? 0) + 1)
  }
  // One in ten of 200: fewer than 2 or more than 50 happens once in a hundred million runs.
  const next = served.get('shop-next') ?? 0
  assert.ok(next >= 2 && next <= 50 && next + (served.get('shop') ?? 0) === 200, JSON.stringify([...served]))
})

example('canary-by-header', false, async (address) => {
  const next = await get(address, '/', { 'x-version': 'next' })
  assert.deepEqual([((await next.json()) as Seen).port, next.headers.get('x-version')], ['9003', 'next'])
  assert.equal((await seen(address, '/', { cookie: 'version=next' })).port, '9003')
  assert.notEqual((await seen(address, '/')).port, '9003')
})

example('custom-errors', true, async (address) => {
  const page = await get(address, '/shop/')
  assert.deepEqual([page.status, page.headers.get('content-type')], [503, 'text/html; charset=utf-8'])
  assert.equal(await page.text(), textOf('examples/custom-errors/unavailable.html'))
  const json = await get(address, '/api/')
  assert.deepEqual([json.status, json.headers.get('content-type'), await json.json()], [503, 'application/json', { error: 'unavailable' }])
  const lost = await get(address, '/elsewhere')
  assert.deepEqual([lost.status, await lost.text()], [404, '<h1>Nothing here</h1>'])
})

example('rolling-deploy', true, (address, scope) => proveRollingDeploy(scope, address))

example('tls', false, async (address) => {
  const moved = await get(address, '/a?b=c')
  assert.deepEqual([moved.status, moved.headers.get('location')], [308, 'https://127.0.0.1:8443/a?b=c'])
})

example('websocket', false, async (address) => {
  const said = [await echo(`ws://${address}/socket/`), await echo(`ws://${address}/socket/`)]
  // Both stay open, so the second one goes to the server that has none.
  assert.deepEqual(said.sort(), ['9001: hello', '9002: hello'])
  assert.equal((await seen(address, '/page')).port, '9003')
})

function echo(url: string): Promise<string> {
  const answer = new Promise<string>((resolve, reject) => {
    const socket = new WebSocket(url)
    socket.on('error', reject).on('open', () => socket.send('hello'))
    socket.on('message', (message) => resolve(String(message)))
  })
  return inTime(answer, { what: 'the echo' })
}

test('every example has a proof', () => {
  assert.deepEqual(proven.sort(), folders)
})
