import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadCorpus, unescapeBytes } from './corpus.ts'

const corpus = loadCorpus(import.meta.dirname)

test('the corpus has at least 150 requests and 30 responses', () => {
  assert.ok(corpus.requests.length >= 150, `${corpus.requests.length} requests`)
  assert.ok(corpus.responses.length >= 30, `${corpus.responses.length} responses`)
})

test('no title is used twice in a file', () => {
  const names = [
    ...corpus.requests.map((c) => `requests/${c.file} ${c.title}`),
    ...corpus.responses.map((c) => `responses/${c.file} ${c.title}`),
  ]
  assert.deepEqual(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  )
})

test('escapes become bytes', () => {
  assert.equal(unescapeBytes('a\\r\\n\\t\\0\\\\\\xff'), 'a\r\n\t\0\\\xff')
  assert.equal(unescapeBytes('\\{3*x\\r\\n}y'), 'x\r\nx\r\nx\r\ny')
  assert.throws(() => unescapeBytes('\\q'), /unknown escape/)
})

test('a request case says what every line of it means', () => {
  const found = corpus.requests.find((c) => c.title === 'The authority of an absolute target replaces Host')
  assert.ok(found)
  assert.equal(found.bytes.toString('latin1'), 'GET http://b.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n')
  assert.deepEqual(found.steps, [{ at: 'forwarded', closes: false }])
  assert.deepEqual(found.serverSees, ['GET /x HTTP/1.1'])
  assert.deepEqual(found.serverHeaders, [{ name: 'host', value: 'b.example' }])
  assert.deepEqual(found.serverNeverSees, ['a.example'])
  assert.equal(found.decidedBy, 'parser')
})

test('a pipeline has a step for each answer', () => {
  const found = corpus.requests.find((c) => c.title === 'Garbage after a request is refused')
  assert.deepEqual(found?.steps, [
    { at: 'forwarded', closes: false },
    { at: 'refused', status: 400, closes: true },
  ])
})

test('a response case knows its method and its expectation', () => {
  const head = corpus.responses.find((c) => c.requestMethod === 'HEAD')
  assert.deepEqual(head?.expect, { at: 'passed', status: 200, body: '' })
  assert.ok(corpus.responses.some((c) => c.expect.at === 'broken'))
  assert.ok(corpus.responses.some((c) => c.expect.at === 'refused' && c.expect.status === 502))
})

test('a document that breaks the grammar is refused with its line', () => {
  const dir = mkdtempSync(join(tmpdir(), 'weir-corpus-'))
  try {
    mkdirSync(join(dir, 'requests'))
    mkdirSync(join(dir, 'responses'))
    writeFileSync(join(dir, 'requests', 'odd.md'), '# Odd\n\n## A case\n\n```http\nGET\n```\n\n- expected: 400\n')
    assert.throws(() => loadCorpus(dir), /odd\.md:3: unknown fact "expected"/)
  } finally {
    rmSync(dir, { recursive: true })
  }
})
