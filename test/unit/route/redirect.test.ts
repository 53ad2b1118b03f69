import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RedirectSource } from '../../../src/worker/route/redirect.ts'
import { compileRedirect } from '../../../src/worker/route/redirect.ts'

const source: RedirectSource = { scheme: 'http', host: 'a.example', port: 8080, path: '/p/q', query: 'x=1', clientIp: '192.0.2.1' }

function location(to: string, changes: Partial<RedirectSource> = {}): string {
  const redirect = compileRedirect(to)
  return redirect.kind === 'static' ? redirect.location : redirect.location({ ...source, ...changes })
}

test('a target without placeholders is computed once', () => {
  assert.deepEqual(compileRedirect('/new'), { kind: 'static', location: '/new' })
})

test('placeholders are filled in', () => {
  assert.equal(location('{scheme}://{host}:{port}{path}?{query}'), 'http://a.example:8080/p/q?x=1')
  assert.equal(location('https://{host}{request.uri}'), 'https://a.example/p/q?x=1')
  assert.equal(location('/seen?ip={client.ip}'), '/seen?ip=192.0.2.1')
})

test('no query leaves no question mark', () => {
  assert.equal(location('/n?{query}', { query: '' }), '/n')
  assert.equal(location('https://h{request.uri}', { query: '' }), 'https://h/p/q')
  assert.equal(location('/n?a=b&{query}', { query: '' }), '/n?a=b&')
})

test('braces without a known name are sent as they stand', () => {
  assert.deepEqual(compileRedirect('/{nonsense}/{constructor}/{}'), { kind: 'static', location: '/{nonsense}/{constructor}/{}' })
  assert.equal(location('/{nonsense}{path}'), '/{nonsense}/p/q')
})

test('percent-encoded line ends stay encoded, and raw ones never get through', () => {
  assert.equal(location('{path}', { path: '/a%0D%0ASet-Cookie:x' }), '/a%0D%0ASet-Cookie:x')
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 20 }), fc.string({ maxLength: 10 }), (path, query) => {
      assert.doesNotMatch(location('{path}?{query}', { path, query }), /[\0-\x20\x7f]/)
    }),
  )
  assert.equal(location('/a\r\nb'), '/a%0D%0Ab')
})

test('a path cannot become the host of the target', () => {
  assert.equal(location('{path}', { path: '//evil.example/x' }), '/evil.example/x')
  assert.equal(location('{request.uri}', { path: '/\\evil.example', query: '' }), '/%5Cevil.example')
  assert.equal(location('/{path}', { path: '/evil.example' }), '/evil.example')
  assert.equal(location('//cdn.example{path}'), '//cdn.example/p/q')
})
