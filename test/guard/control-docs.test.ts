import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controlMarkdown, controlSchema } from '../../scripts/generate-control-docs.ts'
import { textOf } from './lib/sources.ts'

const hint = 'run `make generate`'

test('the reference of the control socket is what its verbs say', () => {
  assert.equal(textOf('docs/reference/control.md'), controlMarkdown(), hint)
})

test('the JSON Schema of the control socket is what its verbs say', () => {
  assert.equal(textOf('docs/reference/control.schema.json'), `${JSON.stringify(controlSchema(), null, 2)}\n`, hint)
})
