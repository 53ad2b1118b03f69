import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatusData } from '../../../src/shared/control/data.ts'
import { weirAt } from './lib/command.ts'
import { answer, fakeControl, type Scope } from './lib/fake-control.ts'
import { server, status, worker } from './lib/samples.ts'

const running = (scope: Scope, data: StatusData) => fakeControl(scope, { status: [answer('status', data)] })

test('status shows everything at a glance, in aligned columns', async (t) => {
  const { code, out, err } = await weirAt(await running(t, status()), ['status'])
  assert.deepEqual([code, err], [0, ''])
  assert.equal(
    out,
    `weir 0.1.0 running, pid 4000, up 3 h, generation 42, /etc/weir.yaml

LISTENER  PROTOCOL  CONNECTIONS  ADDRESS
web       http               24  127.0.0.1:8080 [::1]:8080

UPSTREAM  BALANCE       USABLE  WAITING
api       power-of-two  1 of 3        0

SERVER  ADDRESS        STATE       WEIGHT  IN FLIGHT  REQUESTS  FAILURES  LAST CHECK            REASON
api/a   10.0.0.1:9001  up               1          3     1,204         0  L7OK 1.2 ms, 1 s ago
api/b   10.0.0.1:9001  draining  50% of 3      3/200     1,204         0  L7OK 1.2 ms, 1 s ago  drained by command
api/c   10.0.0.1:9001  down             1          3     1,204        17  L7OK 1.2 ms, 1 s ago  status 503, expected 200-399; backup

WORKER   PID  STATE  UP   CONNECTIONS  TUNNELS  REQUESTS  GENERATION  HEARD
     1  4001  ready  3 h           12        2     1,000          42  1 s ago
     2  4002  ready  3 h           12        2     1,000          42  1 s ago
`,
  )
})

test('status names overrides with their conflicts, and a reload that failed', async (t) => {
  const overrides: StatusData['overrides'] = [
    { server: 'api/b', what: 'admin', value: 'drain', since: '2026-01-31T10:00:00.000Z', conflict: null },
    { server: 'api/a', what: 'weight', value: '50%', since: '2026-01-31T10:00:00.000Z', conflict: 'weight 3' },
  ]
  const lastReload = { at: '2026-01-31T11:00:00.000Z', ok: false, message: 'weir.yaml:3:1: unknown key\nmore' }
  const { out } = await weirAt(await running(t, status({ overrides, lastReload })), ['status'])
  assert.match(out, /^last reload failed at 2026-01-31 \d\d:00:00: weir.yaml:3:1: unknown key$/m)
  assert.match(out, /^api\/b +admin +drain +2026-01-31 \d\d:00:00$/m)
  assert.match(out, /^api\/a +weight +50% +2026-01-31 \d\d:00:00 +the config says weight 3$/m)
  assert.match(out, /^2 overrides of the config by command; "weir config save" writes them into it$/m)
})

test('status names what is unusual: stalled and replaced workers, an open breaker, added servers, none at all', async (t) => {
  const upstreams: StatusData['upstreams'] = [
    {
      name: 'api',
      balance: 'random',
      breaker: 0.25,
      waiting: 7,
      usable: 1,
      servers: [server('api/x', { source: 'added', isChecked: false })],
    },
    { name: 'empty', balance: 'random', breaker: 1, waiting: 0, usable: 0, servers: [] },
  ]
  const workers = [worker(1, { isStalled: true, restarts: 2, lastEnd: 'signal SIGKILL' }), worker(2, { state: 'starting' })]
  const { out } = await weirAt(await running(t, status({ upstreams, workers, configFile: null, state: 'reloading' })), ['status'])
  assert.match(out, /^weir 0.1.0 reloading, pid 4000, up 3 h, generation 42$/m)
  assert.match(out, /^api +random +1 of 1 +7 +circuit breaker lets 25% through$/m)
  assert.match(out, /^empty +random +0 of 0 +0$/m)
  assert.match(out, /^api\/x +.*not checked +added by command$/m)
  assert.match(out, /^ +1 +4001 +stalled .* replaced 2 times, last: signal SIGKILL$/m)
  assert.match(out, /^ +2 +4002 +starting /m)
})

test('status says how long responses took in the last minute, and how much of it was weir itself', async (t) => {
  const servers = [server('api/a', { lastMinute: { p50: 900, p99: 12_300, overheadP99: 84 } }), server('api/b', { lastMinute: null })]
  const upstreams = [{ name: 'api', balance: 'random', breaker: 1, waiting: 0, usable: 2, servers }]
  const lastMinute = { p50: 1_900, p99: 2_500_000, overheadP99: 999 }
  const { out } = await weirAt(await running(t, status({ upstreams, lastMinute })), ['status'])
  assert.match(out, /^last minute: p50 1\.9 ms, p99 2\.5 s, of which weir itself p99 999 µs$/m)
  assert.match(out, /^SERVER .* FAILURES +P50 +P99 +OVERHEAD P99 {2}LAST CHECK/m)
  assert.match(out, /^api\/a .* 0 {2}900 µs {2}12 ms +84 µs {2}L7OK/m)
})

test('on a narrow terminal the reason is cut, and on one that is too narrow the rest stays whole', async (t) => {
  const control = await running(t, status())
  const { out } = await weirAt(control, ['status'], { outWidth: 112 })
  assert.match(out, /^api\/c .* status 503, exp…$/m)
  assert.ok(out.split('\n').every((line) => line.length <= 112))
  const narrow = await weirAt(control, ['status'], { outWidth: 20 })
  assert.match(narrow.out, /^api\/c .* L7OK 1.2 ms, 1 s ago {2}status 503,…$/m)
})

test('colour says the state, and only where there is any', async (t) => {
  const { out } = await weirAt(await running(t, status()), ['status'], { hasColour: true, outWidth: 200 })
  for (const part of ['\u001b[32mup\u001b[39m        ', '\u001b[33mdraining\u001b[39m  ', '\u001b[31mdown\u001b[39m      '])
    assert.ok(out.includes(part), part)
})

test('what comes from elsewhere cannot steer the terminal', async (t) => {
  const servers = [server('api/a', { state: 'down', why: 'status 500\u001b[2J\nbad' })]
  const upstreams = [{ name: 'api', balance: 'random', breaker: 1, waiting: 0, usable: 0, servers }]
  const { out } = await weirAt(await running(t, status({ upstreams })), ['status'])
  assert.match(out, /status 500\ufffd\[2J bad$/m)
})

test('status --json is the envelope as it came', async (t) => {
  const control = await running(t, status())
  assert.deepEqual(await weirAt(control, ['status', '--json'], { hasColour: true, outWidth: 40 }), {
    code: 0,
    out: `${control.lines[0]}\n`,
    err: '',
  })
})

test('workers shows the workers alone', async (t) => {
  const control = await fakeControl(t, { workers: [answer('workers', { workers: [worker(1), worker(2, { heardMs: 61_000 })] })] })
  const { code, out } = await weirAt(control, ['workers'])
  assert.equal(code, 0)
  assert.deepEqual(
    out.split('\n').map((line) => line.trim().split(/ {2,}/)),
    [
      ['WORKER', 'PID', 'STATE', 'UP', 'CONNECTIONS', 'TUNNELS', 'REQUESTS', 'GENERATION', 'HEARD'],
      ['1', '4001', 'ready', '3 h', '12', '2', '1,000', '42', '1 s ago'],
      ['2', '4002', 'ready', '3 h', '12', '2', '1,000', '42', '1 m ago'],
      [''],
    ],
  )
  assert.equal((await weirAt(control, ['workers', '--json'])).out, `${control.lines[0]}\n`)
})
