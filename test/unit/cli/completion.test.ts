import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameCompletions } from '../../../src/cli/completion.ts'
import type { StatusData } from '../../../src/shared/control/data.ts'
import { testTerminal } from './lib/command.ts'
import { answer, fakeControl, type Scope } from './lib/fake-control.ts'
import { server, status } from './lib/samples.ts'

const upstreams: StatusData['upstreams'] = [
  { name: 'api', balance: 'random', breaker: 1, waiting: 0, usable: 2, servers: [server('api/a'), server('api/127.0.0.1:9001')] },
  { name: 'web', balance: 'random', breaker: 1, waiting: 0, usable: 1, servers: [server('web/a')] },
]

async function completions(scope: Scope, words: string[], env: Record<string, string> = {}): Promise<string[] | null> {
  const control = await fakeControl(scope, { status: [answer('status', status({ upstreams }))] })
  return nameCompletions(words, { socket: control.path, config: undefined }, testTerminal({ env }).terminal)
}

test('servers of the running weir complete where a server has to stand', async (t) => {
  assert.deepEqual(await completions(t, ['weir', 'drain', '']), ['api/a', 'api/127.0.0.1:9001', 'web/a'])
  assert.deepEqual(await completions(t, ['weir', 'wait', 'w']), ['web/a'])
  assert.deepEqual(await completions(t, ['drain', '--strict', 'api/a']), ['api/a'])
})

test('upstreams complete where an upstream has to stand', async (t) => {
  assert.deepEqual(await completions(t, ['weir', 'add', '']), ['api', 'web'])
  assert.deepEqual(await completions(t, ['weir', 'deploy', 'w']), ['web'])
})

test('elsewhere the command line knows what may come', async (t) => {
  for (const words of [
    ['weir', 'dr'],
    ['weir', 'drain', '--'],
    ['weir', 'weight', 'api/a', ''],
    ['weir', 'status', ''],
  ])
    assert.equal(await completions(t, words), null)
})

test('a shell that splits at colons gets the rest of a name', async (t) => {
  assert.deepEqual(await completions(t, ['weir', 'drain', 'api/127.0.0.1', ':', '90']), ['9001'])
  assert.deepEqual(await completions(t, ['weir', 'drain', 'api/127.0.0.1', ':']), ['9001'])
  assert.deepEqual(await completions(t, ['weir', 'drain', 'api/1'], { SHELL: '/bin/zsh' }), ['api/127.0.0.1\\:9001'])
})
