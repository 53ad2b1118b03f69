// Paths that the server sees differently from the client.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { type Echo, startServer } from './lib/server.ts'

const server = await startServer(file)
const routes = [
  { match: { path: '/v1/' }, upstream: 'app', rewrite: { stripPrefix: '/v1' } },
  { match: { path: '/add/' }, upstream: 'app', rewrite: { addPrefix: '/base' } },
  { match: { path: '/swap/' }, upstream: 'app', rewrite: { stripPrefix: '/swap', addPrefix: '/inner' } },
  { match: { path: '/users/' }, upstream: 'app', rewrite: { regex: { pattern: '^/users/(\\d+)/(.*)$', to: '/u/$2/$1' } } },
  { match: {}, upstream: 'app' },
]
const weir = await startBalancer(file, config({ servers: [server.address], listener: { routes } }))

const rows: [name: string, target: string, seen: string][] = [
  ['a path without a rewrite is passed on as it is', '/plain/a%20b?x=1&y=%2F', '/plain/a%20b?x=1&y=%2F'],
  ['a prefix is stripped and the query kept', '/v1/orders?x=1', '/orders?x=1'],
  ['stripping a whole path leaves a slash', '/v1', '/'],
  ['stripping keeps the escapes of the rest', '/v1/a%20b%2Fc', '/a%20b%2Fc'],
  ['a prefix is added', '/add/x?y', '/base/add/x?y'],
  ['a prefix is stripped and another one added', '/swap/x', '/inner/x'],
  ['a regular expression moves the parts of a path', '/users/42/profile?full=1', '/u/profile/42?full=1'],
  ['a path that the expression does not match stays', '/users/me', '/users/me'],
  ['an empty query stays empty', '/plain?', '/plain?'],
  ['a query is not rewritten', '/v1/x?next=/v1/y', '/x?next=/v1/y'],
]

for (const [name, target, expected] of rows) {
  test(name, async (t) => {
    const answer = await ask(t, weir.port(), `GET ${target}`)
    assert.equal((JSON.parse(answer.text) as Echo).url, expected)
  })
}

test('OPTIONS * reaches the server as it is', async (t) => {
  const answer = await ask(t, weir.port(), 'OPTIONS *')
  assert.equal((JSON.parse(answer.text) as Echo).url, '*')
})
