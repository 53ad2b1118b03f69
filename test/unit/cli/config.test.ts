import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PlanData, PlanStep, ReloadData } from '../../../src/shared/control/data.ts'
import { weirAt } from './lib/command.ts'
import { answer, failure, fakeControl } from './lib/fake-control.ts'

const file = '/etc/weir.yaml'
const steps: PlanStep[] = [
  { how: 'restart', what: 'change', at: 'workers', text: '2 → 4', connections: 0 },
  { how: 'live', what: 'add', at: 'upstreams.api.servers.c', text: '127.0.0.1:9003', connections: 0 },
  { how: 'drains', what: 'remove', at: 'upstreams.api.servers.b', text: '127.0.0.1:9002', connections: 12 },
  { how: 'live', what: 'change', at: 'listeners.web.timeouts.header', text: '10s → 5s', connections: 1 },
]
const conflicts: PlanData['conflicts'] = [
  { server: 'api/a', what: 'weight', value: '50%', since: '2026-01-31T10:00:00.000Z', conflict: 'weight 3' },
]
const grouped = `
At once, nothing is interrupted (live):
  + upstreams.api.servers.c        127.0.0.1:9003
  ~ listeners.web.timeouts.header  10s → 5s (1 connection)

What runs there finishes first (drains):
  - upstreams.api.servers.b  127.0.0.1:9002 (12 connections)

Needs "weir upgrade" or a new start (restart):
  ~ workers  2 → 4
`

test('plan groups what would change by what it interrupts, with connection counts', async (t) => {
  const control = await fakeControl(t, { plan: [answer('plan', { file, steps, conflicts, warnings: ['listeners.web: no route'] })] })
  const { code, out, err } = await weirAt(control, ['plan'])
  assert.deepEqual([code, err], [0, ''])
  assert.equal(
    out,
    `/etc/weir.yaml: 4 changes
${grouped}
Commands have said otherwise, and that stays in force:
  SERVER  WHAT    IN FORCE  CONFIG SAYS
  api/a   weight  50%       weight 3

warning: listeners.web: no route
`,
  )
  assert.deepEqual(await weirAt(control, ['plan', '--json']), { code: 0, out: `${control.lines[0]}\n`, err: '' })
})

test('plan says when nothing would change', async (t) => {
  const control = await fakeControl(t, { plan: [answer('plan', { file, steps: [], conflicts: [], warnings: [] })] })
  assert.deepEqual(await weirAt(control, ['plan']), { code: 0, out: 'no changes: /etc/weir.yaml says what is in force\n', err: '' })
})

const reload = (changes: Partial<ReloadData> = {}) =>
  answer('reload', { file, changed: true, dryRun: false, steps, conflicts: [], tookMs: 35.2, ...changes }, 43)

test('reload says what is in force now', async (t) => {
  const control = await fakeControl(t, { reload: [reload()] })
  const { code, out } = await weirAt(control, ['reload'])
  assert.deepEqual([code, out], [0, `reloaded /etc/weir.yaml in 35 ms: 4 changes, generation 43\n${grouped}`])
  assert.equal((await weirAt(control, ['reload', '--json'])).out, `${control.lines[0]}\n`)
})

test('reload says when there is nothing to do, and what a dry run would do', async (t) => {
  const same = await fakeControl(t, { reload: [reload({ changed: false, steps: [] })] })
  assert.equal((await weirAt(same, ['reload'])).out, 'no changes: /etc/weir.yaml says what is in force\n')
  const dry = await fakeControl(t, { reload: [reload({ changed: false, dryRun: true })] })
  assert.equal((await weirAt(dry, ['reload', '--dry-run'])).out, `dry run: /etc/weir.yaml would make 4 changes\n${grouped}`)
  assert.deepEqual(dry.requests, [{ verb: 'reload', dryRun: true }])
})

test('a config with problems is told with file, line and column, and exit code 1', async (t) => {
  const message = 'weir.yaml:3:5: listeners.web.bnid: unknown key, did you mean "bind"?\n  3 |     bnid: x\n    |     ^^^^'
  const control = await fakeControl(t, { reload: [failure('invalid-config', message)] })
  assert.deepEqual(await weirAt(control, ['reload']), { code: 1, out: '', err: `weir: ${message}\n` })
})

test('config save says what it wrote, and a dry run shows the file', async (t) => {
  const text = 'upstreams:\n  api: {}\n'
  const edits = ['upstreams.api.servers[0].weight: 3']
  const data = { file, dryRun: false, edits, text }
  const control = await fakeControl(t, { save: ({ dryRun }) => [answer('save', { ...data, dryRun: dryRun === true })] })
  assert.deepEqual(await weirAt(control, ['config', 'save']), { code: 0, out: `wrote to ${file}:\n  ${edits[0]}\n`, err: '' })
  const dry = await weirAt(control, ['config', 'save', '--dry-run'])
  assert.deepEqual(dry, { code: 0, out: `dry run: would write to ${file}:\n  ${edits[0]}\n\n${text}`, err: '' })
  const json = await weirAt(control, ['config', 'save', '--json'])
  assert.equal(json.out, `${control.lines.at(-1)}\n`)
  const none = await fakeControl(t, { save: [answer('save', { ...data, edits: [] })] })
  assert.equal((await weirAt(none, ['config', 'save'])).out, 'no changes: /etc/weir.yaml says what is in force\n')
})

test('stop and upgrade say what has begun', async (t) => {
  const control = await fakeControl(t, {
    stop: ({ graceMs = 25_000 }) => [answer('stop', { graceMs: graceMs as number })],
    upgrade: [answer('upgrade', { pid: 4711, tookMs: 1_240 })],
  })
  assert.equal((await weirAt(control, ['stop'])).out, 'weir stops: what is there may take 25 s\n')
  assert.equal((await weirAt(control, ['stop', '--grace', '0s'])).out, 'weir stops: what is there may take any time\n')
  assert.equal((await weirAt(control, ['stop', '--grace', '10s', '--dry-run'])).out, 'dry run: weir stops: what is there may take 10 s\n')
  assert.equal(
    (await weirAt(control, ['upgrade'])).out,
    'process 4711 serves now: it was ready after 1.2 s, and the one before it finishes what it has\n',
  )
  assert.equal((await weirAt(control, ['upgrade', '--dry-run'])).out, 'dry run: the program would be started anew\n')
  assert.deepEqual(control.requests, [
    { verb: 'stop' },
    { verb: 'stop', graceMs: 0 },
    { verb: 'stop', graceMs: 10_000, dryRun: true },
    { verb: 'upgrade' },
    { verb: 'upgrade', dryRun: true },
  ])
  assert.equal((await weirAt(control, ['stop', '--json'])).out, `${control.lines.at(-1)}\n`)
  assert.equal((await weirAt(control, ['upgrade', '--json'])).out, `${control.lines.at(-1)}\n`)
})
