import assert from 'node:assert/strict'
import { test } from 'node:test'
import { abi } from '../../../src/native/abi.ts'
import { commandsOf } from '../../../src/primary/control/haproxy/words.ts'
import { machineMs } from '../../../src/shared/base/clock.ts'
import { askHaproxy, fake, opened, row } from './fixtures.ts'

test('a line is split at spaces and semicolons, and a backslash takes the next character', () => {
  assert.deepEqual(commandsOf('  set  server a/b\tstate ready ;show info'), [
    ['set', 'server', 'a/b', 'state', 'ready'],
    ['show', 'info'],
  ])
  assert.deepEqual(commandsOf('a\\ b\\;c;;d'), [['a b;c'], [], ['d']])
  assert.deepEqual(commandsOf(''), [[]])
})

test('states and weights change as with HAProxy, and are in the audit', async (t) => {
  const made = fake()
  const { path } = await opened(t, made.operation)
  const admin = (id: string) => made.table.get(id)?.record.admin
  assert.equal(await askHaproxy(t, path, 'set server api/a state drain'), '\n')
  assert.equal(admin('api/a'), 'drain')
  assert.equal(await askHaproxy(t, path, 'set server api/a state maint;enable server api/a'), '\n\n')
  assert.equal(admin('api/a'), 'ready')
  assert.equal(await askHaproxy(t, path, 'disable server api/a'), '\n')
  assert.equal(admin('api/a'), 'maint')
  await askHaproxy(t, path, 'set server api/a state ready')
  assert.equal(await askHaproxy(t, path, 'set weight api/a 50%;get weight api/a'), '\n2 (initial 4)\n\n')
  assert.equal(await askHaproxy(t, path, 'set server api/a weight 200%;get weight api/a'), '\n8 (initial 4)\n\n')
  made.inFlight.set('api/b', 2)
  assert.equal(await askHaproxy(t, path, 'shutdown sessions server api/b'), '\n')
  assert.deepEqual(made.asked, ['cut api/b'])
  assert.deepEqual(made.lines.slice(0, 3), [
    'control: drain api/a (unknown process): changed',
    'control: maint api/a (unknown process): changed',
    'control: ready api/a (unknown process): changed',
  ])
  assert.equal(made.lines.at(-1), 'control: cut api/b (unknown process): 2 closed')
})

test('the last usable server needs the word force', async (t) => {
  const made = fake()
  const { path } = await opened(t, made.operation)
  await askHaproxy(t, path, 'set server api/b state drain')
  assert.match(
    await askHaproxy(t, path, 'set server api/a state drain'),
    /^api\/a is the last usable server .* say force at the end .*\.\n\n$/,
  )
  assert.equal(await askHaproxy(t, path, 'set server api/a state drain force'), '\n')
  assert.equal(made.table.get('api/a')?.record.admin, 'drain')
})

test('what is wrong is told in HAProxy’s words', async (t) => {
  const made = fake()
  const { path } = await opened(t, made.operation)
  const cases: [string, string | RegExp][] = [
    ['set server api/x state drain', 'No such server.\n\n'],
    ['set server nope/x state drain', 'No such backend.\n\n'],
    ['set server api state drain', "Require 'backend/server'.\n\n"],
    ['set server', "Require 'backend/server'.\n\n"],
    ['set server api/a state foo', "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n\n"],
    ['set server api/a weight', 'Require <weight> or <weight%>.\n\n'],
    ['set server api/a weight 257', 'Absolute weight can only be between 0 and 256 inclusive.\n\n'],
    ['set weight api/a -1%', 'Relative weight must be positive.\n\n'],
    ['set weight api/a 5x', 'Trailing garbage in weight string\n\n'],
    ['show servers state nope', "Can't find backend.\n\n"],
    ['show stat nope 1 1', 'No such proxy.\n\n'],
    ['set server api/a addr 1.2.3.4', /^usage: set server <backend>\/<server> state \| weight\n\n$/],
    ['nonsense', /^Unknown command\. Please enter one of the following commands only:\n {2}disable server/],
    ['show foo', /^Unknown command, but maybe one of the following ones is a better match:\n {2}show info/],
    ['', /^Unknown command\. /],
    ['\u0000\u001b[2J', /^Unknown command\. /],
    ['help', /^The following commands are valid at this level:\n[\s\S]*\n {2}help \[<command>\]/],
    ['help show st', /^The following commands are valid at this level:\n {2}show stat[^\n]*\n {2}help/],
    ['quit;show info', ''],
  ]
  for (const [line, expected] of cases) {
    const text = await askHaproxy(t, path, line)
    if (typeof expected === 'string') assert.equal(text, expected, line)
    else assert.match(text, expected, line)
  }
})

test('show stat has a row for each listener, server and upstream, and a filter', async (t) => {
  const made = fake()
  const now = machineMs()
  const { serverCounter } = abi
  made.inFlight.set('api/a', 2)
  made.counters.set(`api/a ${serverCounter.exchanges}`, 9)
  made.counters.set(`api/a ${serverCounter.bytesSent}`, 100)
  made.table.setHealth('api/c', 'down', now)
  made.rows.set('api/c', row('api/c', { ok: false, streak: 2 }))
  made.rows.set('api/b', row('api/b', { ok: false, streak: 1 }))
  const { path } = await opened(t, made.operation)
  const text = await askHaproxy(t, path, 'show stat')
  const [head = '', ...lines] = text.trimEnd().split('\n')
  const columns = head.replace('# ', '').split(',')
  const rows = lines.map((line) => Object.fromEntries(line.split(',').map((value, i) => [columns[i], value])))
  assert.deepEqual(
    rows.map((one) => [one['pxname'], one['svname'], one['status'], one['type'], one['iid'], one['sid']].join(' ')),
    [
      'web FRONTEND OPEN 0 2 0',
      'api a UP 2 3 1',
      'api b UP 1/3 2 3 2',
      'api c DOWN 2 3 3',
      'api BACKEND UP 1 3 0',
      'db 127.0.0.1:5432 no check 2 4 1',
      'db BACKEND UP 1 4 0',
    ],
  )
  const [front, a, , c, api] = rows
  assert.deepEqual(
    [front?.['scur'], a?.['scur'], a?.['stot'], a?.['bin'], a?.['weight'], a?.['act'], a?.['bck']],
    ['3', '2', '9', '100', '4', '1', '0'],
  )
  assert.deepEqual([c?.['slim'], c?.['act'], c?.['bck']], ['7', '0', '1'])
  assert.deepEqual([api?.['scur'], api?.['stot'], api?.['weight'], api?.['act'], api?.['bck']], ['2', '9', '5', '2', '0'])
  assert.equal((await askHaproxy(t, path, 'show stat api 4 -1')).trimEnd().split('\n').length, 4)
  assert.equal((await askHaproxy(t, path, 'show stat 3 2 -1')).trimEnd().split('\n').length, 2)
  assert.equal((await askHaproxy(t, path, 'show stat -1 1 -1')).trimEnd().split('\n').length, 2)
})

test('a name with a comma does not move the columns', async (t) => {
  const made = fake(`
listeners: { web: { bind: "127.0.0.1:0", protocol: http, routes: [{ match: {}, upstream: api }] } }
upstreams: { api: { health: off, servers: [{ name: 'a,"b', address: "127.0.0.1:1" }] } }
`)
  const { path } = await opened(t, made.operation)
  assert.match(await askHaproxy(t, path, 'show stat'), /\napi,"a,""b",0,/)
})

test('show servers state gives each server in format 1', async (t) => {
  const made = fake()
  const now = machineMs()
  made.table.setAdmin('api/b', 'drain', now)
  made.table.setAdmin('api/c', 'maint', now)
  made.table.setHealth('api/c', 'down', now)
  made.rows.set('api/a', row('api/a', { streak: 9 }))
  made.rows.set('api/b', row('api/b', { streak: 9 }))
  made.rows.set('api/c', row('api/c', { ok: false, code: 'L4CON', streak: 9 }))
  const { path } = await opened(t, made.operation)
  const lines = (await askHaproxy(t, path, 'show servers state')).trimEnd().split('\n')
  assert.equal(lines[0], '1')
  assert.deepEqual(lines.slice(2), [
    '3 api 1 a 127.0.0.1 2 0 4 4 0 6 3 4 6 0 0 0 - 9001 - 0 0 - - 0',
    '3 api 2 b 127.0.0.1 2 8 1 1 0 6 3 4 6 0 0 0 - 9002 - 0 0 - - 0',
    '3 api 3 c 127.0.0.1 0 1 1 1 0 8 2 0 6 0 0 0 - 9003 - 0 0 - - 0',
    '4 db 1 127.0.0.1:5432 127.0.0.1 2 0 1 1 0 1 0 1 0 0 0 0 - 5432 - 0 0 - - 0',
  ])
  assert.equal((await askHaproxy(t, path, 'show servers state db')).trimEnd().split('\n').length, 3)
})

test('show info and show sess tell what there is', async (t) => {
  const made = fake()
  const slot = made.table.get('api/a')?.record.slot as number
  made.tunnels = [
    { worker: 1, tunnel: { client: '10.0.0.1:5', listener: 0, server: slot, ageMs: 3_500, idleMs: 1, bytesSent: 3, bytesReceived: 4 } },
  ]
  const { path } = await opened(t, made.operation)
  const info = await askHaproxy(t, path, 'show info')
  assert.match(
    info,
    /^Name: weir\nVersion: \d+\.\d+\.\d+\n[\s\S]*\nPid: \d+\nUptime: 0d 0h01m05s\nUptime_sec: 65\n[\s\S]*CurrConns: 12\n[\s\S]*\n\n$/,
  )
  assert.match(
    await askHaproxy(t, path, 'show sess'),
    /^0x1: proto=tcpv4 src=10\.0\.0\.1:5 fe=web be=api srv=a worker=1 age=3s idle=0s in=3 out=4\n\n$/,
  )
  made.tunnels = []
  assert.equal(await askHaproxy(t, path, 'show sess'), '\n')
})
