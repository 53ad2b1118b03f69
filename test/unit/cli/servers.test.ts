import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VerbName } from '../../../src/shared/control/requests.ts'
import { weir, weirAt } from './lib/command.ts'
import { answer, failure, fakeControl } from './lib/fake-control.ts'
import { change, server } from './lib/samples.ts'

interface Case {
  words: string[]
  request: { verb: VerbName } & Record<string, unknown>
}

const cases: Case[] = [
  { words: ['ready', 'api/a'], request: { verb: 'ready', server: 'api/a' } },
  { words: ['ready', 'api/a', '--dry-run'], request: { verb: 'ready', server: 'api/a', dryRun: true } },
  { words: ['maint', 'api/127.0.0.1:9001'], request: { verb: 'maint', server: 'api/127.0.0.1:9001' } },
  { words: ['maint', 'api/a', '--force'], request: { verb: 'maint', server: 'api/a', force: true } },
  { words: ['weight', 'api/a', '50%'], request: { verb: 'weight', server: 'api/a', weight: '50%' } },
  {
    words: ['weight', 'api/a', '3', '--force', '--dry-run'],
    request: { verb: 'weight', server: 'api/a', weight: '3', dryRun: true, force: true },
  },
  { words: ['remove', 'api/unix:/run/a.sock'], request: { verb: 'remove', server: 'api/unix:/run/a.sock' } },
  { words: ['add', 'api', '127.0.0.1:9003'], request: { verb: 'add', upstream: 'api', address: '127.0.0.1:9003' } },
  {
    words: ['add', 'api', '[::1]:9003', '--name', '7', '--weight', '2', '--max-connections', '200', '--backup', '--dry-run'],
    request: { verb: 'add', upstream: 'api', address: '[::1]:9003', name: '7', weight: 2, maxConnections: 200, backup: true, dryRun: true },
  },
]

for (const { words, request } of cases)
  test(`weir ${words.join(' ')}`, async (t) => {
    const isDry = request['dryRun'] === true
    const line = answer(request.verb as 'ready', change('what was done', [server('api/a')], { dryRun: isDry, changed: !isDry }))
    const control = await fakeControl(t, { [request.verb]: [line] })
    assert.deepEqual(await weirAt(control, words), { code: 0, out: `${isDry ? 'dry run: ' : ''}what was done\n`, err: '' })
    assert.deepEqual(control.requests, [request])
    assert.deepEqual(await weirAt(control, [...words, '--json']), { code: 0, out: `${line}\n`, err: '' })
  })

test('a name that is not known is bad usage, in the words of weir', async (t) => {
  const line = failure('unknown-name', 'there is no server "api/q", did you mean "api/a"?')
  const control = await fakeControl(t, { ready: [line] })
  assert.deepEqual(await weirAt(control, ['ready', 'api/q']), {
    code: 2,
    out: '',
    err: 'weir: there is no server "api/q", did you mean "api/a"?\n',
  })
})

for (const [words, message] of [
  [['ready'], /an argument is missing.*\nTry "weir ready --help"/],
  [['ready', 'api'], /expected a server as upstream\/server, such as api\/a, found "api"/],
  [['ready', 'api/a', 'more'], /Unknown argument: more/],
  [['maint', 'api/a', '--forse'], /Unknown argument: forse/],
  [['weight', 'api/a'], /an argument is missing/],
  [['add', 'api', 'x:1', '--weight', '300'], /--weight: expected a whole number from 0 to 256, found "300"/],
  [['add', 'api', 'x:1', '--max-connections', '0'], /--max-connections: expected a whole number of at least 1, found "0"/],
  [['radey', 'api/a'], /Did you mean ready\?\nTry "weir --help"/],
  [['config'], /say what to do with it/],
] satisfies [string[], RegExp][])
  test(`weir ${words.join(' ')} is bad usage`, async () => {
    const { code, out, err } = await weir(words)
    assert.deepEqual([code, out], [2, ''])
    assert.match(err, message)
    const json = await weir([...words, '--json'])
    assert.deepEqual([json.code, json.err, JSON.parse(json.out).error.exit], [2, '', 2])
  })
