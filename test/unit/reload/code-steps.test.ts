import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeSteps } from '../../../src/primary/reload/code-steps.ts'
import type { PinnedModule } from '../../../src/shared/config/pinned.ts'
import { built } from './fixtures.ts'

const pinned = (files: Record<string, string>): PinnedModule => ({
  path: 'weir.config.ts',
  main: '/etc/weir/weir.config.ts',
  files,
  imports: {},
})
const config = (onRequest?: () => undefined) => {
  return built({ listeners: { web: { bind: ':1', routes: [{ match: {}, answer: {}, ...(onRequest && { onRequest }) }] } } })
}

test('files whose text changed are steps, where the config has functions that may run them', () => {
  const [before, after] = [
    pinned({ '/etc/weir/weir.config.ts': 'a', '/etc/weir/b.ts': 'b' }),
    pinned({ '/etc/weir/weir.config.ts': 'c', '/etc/weir/b.ts': 'b' }),
  ]
  const steps = codeSteps(
    before,
    after,
    config(() => undefined),
  )
  assert.deepEqual(
    steps.map(({ how, text }) => `${how} ${text}`),
    ['live code of weir.config.ts changed: functions run it from the next request on'],
  )
  assert.deepEqual(codeSteps(before, after, config()), [])
  assert.deepEqual(
    codeSteps(
      before,
      before,
      config(() => undefined),
    ),
    [],
  )
  assert.deepEqual(
    codeSteps(
      null,
      after,
      config(() => undefined),
    ),
    [],
  )
})
