/** HAProxy's words, compared with the answers of HAProxy itself where it is installed. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { config } from './lib/config.ts'
import { controlPath, haproxyWords } from './lib/control.ts'
import { type Member, members } from './lib/member.ts'
import { folderFor, needsTools, startTool } from './lib/tools.ts'
import { until } from './lib/wait.ts'

/** A HAProxy and a weir in front of the same servers; undefined where HAProxy is missing. */
async function both(t: TestContext): Promise<{ theirs: string; ours: string; fleet: Member[] } | undefined> {
  const tools = needsTools(t, ['haproxy'])
  if (tools === undefined) return undefined
  const fleet = await members(t, 'ab')
  const folder = folderFor(t, 'haproxy')
  const theirs = join(folder, 'haproxy.sock')
  writeFileSync(join(folder, 'haproxy.cfg'), haproxyConfig(folder, theirs, fleet))
  await startTool(t, tools.haproxy, ['-db', '-f', join(folder, 'haproxy.cfg')], { ports: [] })
  const ours = controlPath(t)
  const servers = fleet.map(({ name, address }, i) => ({ name, address, weight: i === 0 ? 10 : 3, ...(i === 0 ? {} : { backup: true }) }))
  await startBalancer(t, config({ servers, top: { control: { socket: ours } } }), { usesDefaults: true })
  const isUp = async (path: string) => / 2 0 10 10 \d+ 6 3 4 6 /.test(await haproxyWords(t, path, 'show servers state app'))
  await until(async () => (await isUp(theirs)) && (await isUp(ours)), { within: 10_000, what: 'both have checked their servers' })
  return { theirs, ours, fleet }
}

function haproxyConfig(folder: string, socket: string, [a, b]: Member[]): string {
  return `
global
  stats socket ${socket} mode 600 level admin
defaults
  mode http
  timeout connect 1s
  timeout client 10s
  timeout server 10s
frontend web
  bind unix@${join(folder, 'web.sock')}
  default_backend app
backend app
  server a ${a?.address} check inter 200ms weight 10
  server b ${b?.address} check inter 200ms weight 3 backup
`
}

test('tables have the columns of HAProxy, and rows that a tool reads the same', async (t) => {
  const pair = await both(t)
  if (pair === undefined) return
  const read = (line: string) => Promise.all([pair.theirs, pair.ours].map((path) => haproxyWords(t, path, line)))
  const [theirStat, ourStat] = (await read('show stat')).map((text) => text.trimEnd().split('\n'))
  const columns = (theirStat?.[0] ?? '').split(',').slice(0, 34)
  assert.equal(columns[0], '# pxname')
  assert.equal(ourStat?.[0], `${columns.join(',')},`)
  const names = (rows: string[] | undefined) => rows?.slice(1).map((row) => row.split(',').slice(0, 2).join(','))
  assert.deepEqual(names(ourStat), names(theirStat))
  const same = ['status', 'weight', 'act', 'bck', 'type', 'pid', 'iid', 'sid', 'scur']
  const fields = (row: string) => same.map((column) => `${column}=${row.split(',')[columns.indexOf(column)]}`).join(' ')
  assert.deepEqual(ourStat?.slice(1).map(fields), theirStat?.slice(1).map(fields))
  const [theirState, ourState] = (await read('show servers state')).map((text) => text.trimEnd().split('\n'))
  assert.deepEqual(ourState?.slice(0, 2), theirState?.slice(0, 2))
  // But for how long ago the last change was.
  const steady = (row: string) => row.split(' ').toSpliced(9, 1).join(' ')
  assert.deepEqual(ourState?.slice(2).map(steady), theirState?.slice(2).map(steady))
  const keys = (text: string | undefined) => (text ?? '').split('\n').flatMap((row) => row.match(/^[^:]+/)?.[0] ?? [])
  const [theirInfo, ourInfo] = (await read('show info')).map(keys)
  assert.deepEqual(
    ourInfo,
    theirInfo?.filter((key) => ourInfo?.includes(key)),
    'keys of HAProxy, in its order',
  )
  assert.ok((ourInfo?.length ?? 0) > 10)
})

test('commands and mistakes are answered in the words of HAProxy', async (t) => {
  const pair = await both(t)
  if (pair === undefined) return
  const lines = [
    'set server app/x state drain',
    'set server nope/x state drain',
    'set server app state drain',
    'set server',
    'set server app/a state',
    'set server app/a state foo',
    'set server app/a weight',
    'set server app/a weight 257',
    'set weight app/a -1',
    'set weight app/a -1%',
    'get weight app/a',
    'get weight app/x',
    'get weight nope/a;get weight app/b',
    'set weight app/a 50%;get weight app/a',
    'set server app/a weight 200% ; get weight app/a',
    'set server app/a weight 10',
    'disable server app/x',
    'enable server',
    'shutdown sessions server app/x',
    'shutdown sessions server app/b',
    'show servers state nope',
    'show stat nope 1 1',
    'disable server app/b;enable server app/b',
    'set server app/b state drain;set server app/b state maint;set server app/b state ready',
    'quit;get weight app/a',
  ]
  for (const line of lines) assert.equal(await haproxyWords(t, pair.ours, line), await haproxyWords(t, pair.theirs, line), line)
})
