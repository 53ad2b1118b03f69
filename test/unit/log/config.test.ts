import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logDefaults } from '../../../src/shared/config/schema/log.ts'
import { configOf, configWith, messagesOf, warningsOf } from '../config/helper.ts'

const accessOf = async (access: string) => (await configOf(configWith({ root: `log: { access: ${access} }` }))).log.access
const messages = (root: string) => messagesOf(configWith({ root }))

test('there is no access log and no trace unless somebody asks', async () => {
  const { log, tracing } = await configOf(configWith())
  assert.deepEqual({ log, tracing }, { log: { access: null }, tracing: null })
  assert.equal(await accessOf('off'), null)
})

test('a target alone is a log with all defaults', async () => {
  const { fields, redactQuery } = logDefaults
  const usual = { format: 'json', fields: [...fields], headers: [], redactQuery: [...redactQuery], sample: 1 }
  assert.deepEqual(await accessOf('stdout'), { to: 'stdout', ...usual })
  assert.deepEqual(await accessOf('/tmp/a.log'), { to: '/tmp/a.log', ...usual })
  assert.deepEqual(await accessOf('{ to: /tmp/a.log }'), { to: '/tmp/a.log', ...usual })
  assert.deepEqual(await accessOf('{ to: stdout, format: combined, sample: 5%, redactQuery: [] }'), {
    ...{ to: 'stdout', ...usual, format: 'combined', sample: 0.05, redactQuery: [] },
  })
})

test('mistakes are named', async () => {
  assert.deepEqual(await messages('log: { access: logs/a.log }'), [
    'log.access: expected off, stdout, or an absolute path such as /var/log/weir/access.log, found "logs/a.log"',
  ])
  assert.deepEqual(await messages('log: { access: of }'), [
    'log.access: expected off, stdout or path or map, found "of"; did you mean "off"?',
  ])
  assert.match((await messages('log: { access: { to: /tmp/a.log, fields: [tme] } }'))[0] ?? '', /did you mean "time"\?/)
  assert.match(
    (await messages('log: { access: { to: /tmp/a.log, headers: [a,b,c,d,e,f,g,h] } }'))[0] ?? '',
    /at most 7 header fields, found 8/,
  )
  assert.match((await messages('tracing: { otlp: "ftp://x" }'))[0] ?? '', /expected a URL such as/)
  assert.match((await messages('tracing: { otlp: "http://a:b@x/" }'))[0] ?? '', /do not belong in this URL; write them as headers/)
})

test('a folder that does not exist is named, and so is what has no effect', async () => {
  assert.deepEqual(await warningsOf(configWith({ root: 'log: { access: /nowhere/at/all/a.log }' })), [
    'log.access: /nowhere/at/all does not exist: weir cannot start with this; make the folder, or name another file',
  ])
  assert.deepEqual(await warningsOf(configWith({ root: 'log: { access: { to: stdout, format: combined, headers: [x-a] } }' })), [
    'log.access.headers: has no effect in the format combined; remove it, or write format: json',
  ])
})
