import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyRewrite, compileRewrite, targetOf } from '../../../src/worker/route/rewrite.ts'

const nothing = { stripPrefix: null, addPrefix: null, regex: null }

function rewritten(rewrite: Partial<typeof nothing> | object, path: string): string {
  return applyRewrite(compileRewrite({ ...nothing, ...rewrite }), path)
}

test('no rewrite leaves the path alone', () => {
  assert.deepEqual(compileRewrite(nothing), { kind: 'static', strip: '', add: '' })
  assert.deepEqual(compileRewrite(null), { kind: 'static', strip: '', add: '' })
  assert.equal(rewritten({}, '/a//b'), '/a//b')
})

test('a prefix is stripped by whole segments, and a slash is left', () => {
  for (const stripPrefix of ['/v1', '/v1/']) {
    assert.deepEqual(compileRewrite({ ...nothing, stripPrefix }), { kind: 'static', strip: '/v1', add: '' })
    assert.equal(rewritten({ stripPrefix }, '/v1/users'), '/users')
    assert.equal(rewritten({ stripPrefix }, '/v1/'), '/')
    assert.equal(rewritten({ stripPrefix }, '/v1'), '/')
    assert.equal(rewritten({ stripPrefix }, '/v1x'), '/v1x')
    assert.equal(rewritten({ stripPrefix }, '/v2/v1'), '/v2/v1')
  }
  assert.equal(rewritten({ stripPrefix: '/' }, '/a'), '/a')
})

test('a prefix is added after stripping', () => {
  assert.equal(rewritten({ stripPrefix: '/v1', addPrefix: '/base/' }, '/v1/users'), '/base/users')
  assert.equal(rewritten({ addPrefix: '/base' }, '/'), '/base/')
})

test('a regex works on the stripped path, and its result starts with a slash', () => {
  assert.equal(rewritten({ regex: { pattern: '^/u/([0-9]+)$', to: '/users/$1' } }, '/u/7'), '/users/7')
  assert.equal(rewritten({ regex: { pattern: '^/u/([0-9]+)$', to: '/users/$1' } }, '/u/x'), '/u/x')
  assert.equal(rewritten({ regex: { pattern: '^/', to: '' } }, '/a'), '/a')
  assert.equal(rewritten({ stripPrefix: '/api', addPrefix: '/v2', regex: { pattern: '^/a', to: '/b' } }, '/api/a'), '/v2/b')
})

test('nothing in a replacement can break the request line', () => {
  assert.equal(rewritten({ regex: { pattern: 'x', to: 'a b\r\nc#d' } }, '/x'), '/a%20b%0D%0Ac%23d')
})

test('a target joins path and query', () => {
  assert.equal(targetOf('/a', ''), '/a')
  assert.equal(targetOf('/a', 'x=1'), '/a?x=1')
  assert.equal(targetOf('/a?y=2', 'x=1'), '/a?y=2&x=1')
})
