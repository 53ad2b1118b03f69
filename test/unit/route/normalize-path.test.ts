import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { normalizePath } from '../../../src/worker/route/normalize-path.ts'

test('a path with nothing to do comes back as it is', () => {
  for (const path of ['/', '/a/b', '/a//b/', '*', '', '/a.b/..c/...', '/%2F', '//', '/a..', '/.well-known/x']) {
    assert.equal(normalizePath(path), path)
  }
})

test('unreserved characters are decoded, the other escapes upper-cased', () => {
  assert.equal(normalizePath('/%61%7e%2d%5F%41'), '/a~-_A')
  assert.equal(normalizePath('/a%2fb%5cc%e4%20'), '/a%2Fb%5Cc%E4%20')
  assert.equal(normalizePath('/%252e%252e/'), '/%252e%252e/')
  assert.equal(normalizePath('/%0d%0a'), '/%0D%0A')
})

test('dot segments are resolved, encoded ones too', () => {
  assert.equal(normalizePath('/a/./b'), '/a/b')
  assert.equal(normalizePath('/a/../b'), '/b')
  assert.equal(normalizePath('/a/%2e%2E/b'), '/b')
  assert.equal(normalizePath('/a/.%2e/b'), '/b')
  assert.equal(normalizePath('/a/b/..'), '/a/')
  assert.equal(normalizePath('/a/b/.'), '/a/b/')
  assert.equal(normalizePath('/a/..'), '/')
  assert.equal(normalizePath('/.'), '/')
  assert.equal(normalizePath('/a//../b'), '/a/b')
  assert.equal(normalizePath('/a/../../b/../c'), null)
})

test('encoded slashes and backslashes do not end a segment', () => {
  assert.equal(normalizePath('/a/..%2fb'), '/a/..%2Fb')
  assert.equal(normalizePath('/a/..%5cb'), '/a/..%5Cb')
})

test('climbing above the root is refused', () => {
  for (const path of ['/..', '/../', '/a/../..', '/%2e%2e/etc', '/./../a', '/a/%2E./../b']) assert.equal(normalizePath(path), null)
})

test('a broken escape is refused', () => {
  for (const path of ['/%', '/%4', '/%zz', '/%4g', '/a%', '/%%41', '/%/..']) assert.equal(normalizePath(path), null)
})

const piece = fc.constantFrom('/', '.', '..', '%2e', '%2E', '%2f', '%5c', 'a', '%61', '%', '%25', '2e', '//', 'é', '%7E')
const anyPath = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`)

test('normalising twice changes nothing more, and no dot segment is left', () => {
  fc.assert(
    fc.property(anyPath, (path) => {
      const once = normalizePath(path)
      if (once === null) return
      assert.equal(normalizePath(once), once)
      assert.ok(once.startsWith('/'))
      for (const segment of once.split('/')) assert.ok(!/^(\.|%2e){1,2}$/i.test(segment), once)
    }),
    { numRuns: 5000 },
  )
})

test('the result is what RFC 3986 5.2.4 gives', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', '.', '..'), { minLength: 1, maxLength: 8 }), (segments) => {
      const path = `/${segments.join('/')}`
      const ours = normalizePath(path)
      if (ours !== null) assert.equal(ours, new URL(`http://h${path}`).pathname)
    }),
    { numRuns: 2000 },
  )
})
