// Which route takes a request, end to end; the router's own tests have the details.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { echo, startServer } from './lib/server.ts'

const answer = (body: string) => ({ answer: { body } })
const routes = [
  { match: {}, ...answer('everything') },
  { match: { path: '/a/' }, ...answer('prefix /a/') },
  { match: { path: '=/a/exact' }, ...answer('exact') },
  { match: { path: '/a/b/' }, ...answer('prefix /a/b/') },
  { match: { path: '~^/n/\\d+$' }, ...answer('number') },
  { match: { host: 'one.example' }, ...answer('one') },
  { match: { host: '*.example' }, ...answer('wildcard') },
  { match: { path: '/m/', method: ['POST', 'PUT'] }, ...answer('writes') },
  { match: { path: '/h/', header: { 'x-flavour': 'new' } }, ...answer('header') },
  { match: { path: '/q/', query: { debug: true } }, ...answer('query') },
  { match: { path: '/c/', cookie: { group: { regex: '^beta' } } }, ...answer('cookie') },
  { match: { path: '/ip/', clientIp: '127.0.0.0/8' }, ...answer('local') },
  { match: { path: '/not/', not: { method: 'GET' } }, ...answer('not GET') },
  { match: { path: '/secret/' }, answer: { status: 403, body: 'secret' } },
  { match: { path: '/split/' }, split: { red: '50%', blue: '50%' } },
]
const servers = { red: await startServer(file, echo('red')), blue: await startServer(file, echo('blue')) }
const upstreams = { red: { servers: [servers.red.address] }, blue: { servers: [servers.blue.address] } }
const weir = await startBalancer(file, config({ servers: [], listener: { routes }, top: { upstreams } }))

const rows: [line: string, headers: Record<string, string>, body: string][] = [
  ['GET /', {}, 'everything'],
  ['GET /a/x', {}, 'prefix /a/'],
  ['GET /a', {}, 'prefix /a/'],
  ['GET /ax', {}, 'everything'],
  ['GET /a/exact', {}, 'exact'],
  ['GET /a/exact?q=1', {}, 'exact'],
  ['GET /a/b/c', {}, 'prefix /a/b/'],
  ['GET /n/12', {}, 'number'],
  ['GET /n/x', {}, 'everything'],
  ['GET /', { Host: 'one.example' }, 'one'],
  ['GET /', { Host: 'two.example:81' }, 'wildcard'],
  ['POST /m/', {}, 'writes'],
  ['GET /m/', {}, 'everything'],
  ['GET /h/', { 'X-Flavour': 'new' }, 'header'],
  ['GET /h/', { 'X-Flavour': 'old' }, 'everything'],
  ['GET /q/?x=1&debug', {}, 'query'],
  ['GET /c/', { Cookie: 'a=1; group=beta-2' }, 'cookie'],
  ['GET /ip/', {}, 'local'],
  ['DELETE /not/', {}, 'not GET'],
  ['GET /open/../secret/x', {}, 'secret'],
  ['GET /open/%2e%2e/secret/x', {}, 'secret'],
  ['GET /./secret/x', {}, 'secret'],
  ['GET /%73ecret/x', {}, 'secret'],
]

for (const [line, headers, body] of rows) {
  test(`${line} ${JSON.stringify(headers)} goes to "${body}"`, async (t) => {
    assert.equal((await ask(t, weir.port(), line, headers)).text, body)
  })
}

test('a split sends each upstream its share', async (t) => {
  for (let i = 0; i < 200; i++) await ask(t, weir.port(), 'GET /split/')
  const share = servers.red.seen.length / 200
  assert.equal(servers.red.seen.length + servers.blue.seen.length, 200)
  assert.ok(share > 0.35 && share < 0.65, `${share} went to red`)
})
