import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configWith, problemsOf } from './helper.ts'

test('broken YAML is named with its place', async () => {
  const cases: [text: string, problem: RegExp][] = [
    ['workers: 1\nworkers: 2\n', /^weir\.yaml:2:1: workers: the key stands here twice; the first is in line 1$/],
    ['a:\n\tb: 1\n', /^weir\.yaml:2:1: a tab cannot indent; use spaces$/],
    ['workers: *nobody\n', /^weir\.yaml:1:10: workers: no anchor &nobody before this alias$/],
    ['a: &a { b: *a }\n', /^weir\.yaml:1:\d+: a\.b: the alias stands for a value that contains it$/],
    ['a: 1\n---\nb: 2\n', /^weir\.yaml:3:1: a config is one document/],
    ['a: [1\n', /^weir\.yaml:\d+:\d+: /],
    ['a: b: c\n', /^weir\.yaml:1:4: a second ": " in one line/],
    ['a: !foo 1\n', /^weir\.yaml:1:4: the YAML tag is not supported/],
    ['? [a]\n: 1\n', /^weir\.yaml:1:3: a key has to be a word$/],
    ['<<: {}\n', /merge keys are not supported/],
  ]
  for (const [text, problem] of cases) {
    const problems = await problemsOf(text)
    assert.ok(
      problems.some((line) => problem.test(line)),
      `${JSON.stringify(text)}: ${problems.join(' | ')}`,
    )
  }
})

test('aliases of aliases and deep nesting are refused before they cost anything', async () => {
  const levels = Array.from({ length: 30 }, (_, level) => `l${level}: &l${level} [${level === 0 ? '1' : `*l${level - 1}, *l${level - 1}`}]`)
  assert.match((await problemsOf(levels.join('\n'))).join('\n'), /more than 100000 values; look for aliases of aliases/)
  for (const text of ['['.repeat(100_000), '- '.repeat(20_000), '{a: '.repeat(5000), '? '.repeat(20_000)]) {
    assert.match((await problemsOf(text)).join('\n'), /nested more than 64 levels deep/)
  }
})

test('a key named __proto__ is an unknown key like any other', async () => {
  assert.match((await problemsOf(`__proto__: { workers: 2 }\n${configWith()}`)).join('\n'), /weir\.yaml:1:1: __proto__: unknown key/)
})
