import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { DeployData, DeployProgress } from '../../../src/cli/deploy/data.ts'
import { weirAt } from './lib/command.ts'
import { answer, type FakeControl, fakeControl, type Scope } from './lib/fake-control.ts'
import { change, server, status, waited } from './lib/samples.ts'

const upstreamOf = (...names: string[]) => ({
  ...{ name: 'api', balance: 'random', breaker: 1, waiting: 0, usable: names.length },
  servers: names.map((name) => server(`api/${name}`)),
})

/** A weir with these servers that does whatever it is told. */
function weirWith(scope: Scope, names: string[]): Promise<FakeControl> {
  return fakeControl(scope, {
    status: [answer('status', status({ upstreams: [upstreamOf(...names)] }))],
    figures: [
      answer('figures', {
        longestHoldMs: 0,
        servers: names.map((name) => ({ ...{ exchanges: 7, successes: 7, failures: 0 }, id: `api/${name}`, firstByteCounts: {} })),
      }),
    ],
    drain: [answer('drain', change('drains', []))],
    wait: [answer('wait', waited())],
    ready: [answer('ready', change('ready', []))],
  })
}

const changes = ({ requests }: FakeControl) =>
  requests.filter(({ verb }) => !['status', 'figures'].includes(verb)).map(({ verb, server: id }) => `${verb} ${id}`)
const deploy = ['deploy', 'api', '--soak', '0']

test('a deploy prints each step, the output under the name of its server, and a report', async (t) => {
  const control = await weirWith(t, ['a', 'b'])
  const { code, out } = await weirAt(control, [...deploy, '--cmd', 'echo {name} at "$WEIR_SERVER_PORT"'])
  assert.equal(code, 0)
  assert.match(out, /^deploying api: 2 servers, one at a time\napi\/a: draining\n/)
  assert.match(out, /\napi\/b: \$ echo 'b' at "\$WEIR_SERVER_PORT"\n\[api\/b\] b at 9001\n/)
  assert.match(out, /\nSERVER +VERSION +OUTCOME +STATE +DRAIN +COMMAND +CHECKS +SOAK\napi\/a +new +done +up /)
  assert.match(out, /\napi is deployed\n2 of 2 servers new after .*; 0 requests meanwhile, 0 failed at a server, none was held\n$/)
  assert.deepEqual(
    changes(control),
    ['a', 'b'].flatMap((name) => ['drain', 'wait', 'wait', 'ready', 'wait'].map((verb) => `${verb} api/${name}`)),
  )
})

test('on a terminal one line is written anew, and cleared before the report', async (t) => {
  const { out, err } = await weirAt(await weirWith(t, ['a', 'b']), [...deploy, '--cmd', 'true'], { errWidth: 60 })
  assert.ok(err.includes('\r\u001b[K1 finished · api/b: running the command, '), err)
  assert.ok(err.endsWith('\r\u001b[K'))
  assert.ok(err.split('\r\u001b[K').every((line) => line.length < 60))
  assert.match(out, /api is deployed/)
})

test('with --json each line is an envelope of its schema, the last one the report', async (t) => {
  const { code, out } = await weirAt(await weirWith(t, ['a', 'b']), [...deploy, '--cmd', 'exit 3', '--json'])
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { schema: string; generation: number; time: string; data: unknown })
  const last = lines.pop()
  for (const { schema, data } of lines) assert.deepEqual([schema, Value.Errors(DeployProgress, data)], ['weir.progress/1', []])
  assert.deepEqual([code, last?.schema, last?.generation, Value.Errors(DeployData, last?.data)], [4, 'weir.deploy/1', 42, []])
  const { exit, outcome, reason } = last?.data as DeployData
  assert.deepEqual([exit, outcome, reason], [4, 'failed', 'api/a: the command failed with exit code 3'])
})

test('--dry-run prints the commands and changes nothing', async (t) => {
  const control = await weirWith(t, ['a', 'b'])
  const { code, out } = await weirAt(control, [...deploy, '--cmd', 'ssh {host} x', '--rollback-cmd', 'undo {name}', '--dry-run'])
  assert.equal(code, 0)
  assert.match(out, /batch 2 of 2: api\/b\n(?:.|\n)* api\/b: \$ ssh '10\.0\.0\.1' x\n(?:.|\n)*if it fails, api\/a: \$ undo 'a'\n/)
  const json = await weirAt(control, [...deploy, '--cmd', 'ssh {host} x', '--dry-run', '--json'])
  const { data } = JSON.parse(json.out) as { data: DeployData }
  assert.deepEqual(
    [Value.Errors(DeployData, data), data.dryRun, data.outcome, data.servers[1]?.command],
    [[], true, 'planned', "ssh '10.0.0.1' x"],
  )
  assert.deepEqual(changes(control), [])
})

test('a deploy of the only server is refused, and names hold; --force does it', async (t) => {
  const control = await weirWith(t, ['a'])
  const { code, err } = await weirAt(control, [...deploy, '--cmd', 'true'])
  assert.deepEqual([code, changes(control)], [5, []])
  assert.match(err, /one server.*`hold`.*--force/)
  const json = await weirAt(control, [...deploy, '--cmd', 'true', '--json'])
  assert.equal((JSON.parse(json.out) as { error: { code: string } }).error.code, 'refused')
  assert.equal((await weirAt(control, [...deploy, '--cmd', 'true', '--force'])).code, 0)
  assert.deepEqual(
    control.requests.find(({ verb }) => verb === 'drain'),
    { verb: 'drain', server: 'api/a', force: true },
  )
})

test('two deploys of one upstream do not run at the same time', async (t) => {
  const control = await weirWith(t, ['a', 'b'])
  const both = await Promise.all([1, 2].map(() => weirAt(control, [...deploy, '--cmd', 'sleep 0.3'])))
  assert.deepEqual(both.map(({ code }) => code).sort(), [0, 5])
  assert.match(both.map(({ err }) => err).join(''), /another deploy of api is running/)
})

for (const [words, why] of [
  [['--cmd', 'x {nmae}'], /no placeholder/],
  [['--cmd', 'x', '--batch', '0'], /--batch 0: expected a whole number from 1 to 50/],
  [['--cmd', 'x', '--floor', 'half'], /--floor half: expected a share/],
  [['--cmd', 'x', '--soak', '10'], /--soak 10: expected a unit/],
  [['--cmd', 'x', '--checks', '1.5'], /--checks/],
  [['--cmd', 'x', '--max-slowdown', '0.5'], /--max-slowdown/],
  [['--cmd', 'x', '--rollback-all'], /needs --rollback-cmd/],
  [['--cmd', 'x', '--cmd', 'y'], /--cmd was given more than once/],
  [[], /cmd/],
] as const) {
  test(`"deploy api ${words.join(' ')}" is bad usage, and nothing is touched`, async (t) => {
    const control = await weirWith(t, ['a', 'b'])
    const { code, err } = await weirAt(control, ['deploy', 'api', ...words])
    assert.deepEqual([code, control.requests], [2, []], err)
    assert.match(err, why)
  })
}

test('an unknown upstream is bad usage, and the known ones are named', async (t) => {
  const { code, err } = await weirAt(await weirWith(t, ['a', 'b']), ['deploy', 'app', '--cmd', 'true'])
  assert.deepEqual([code, err], [2, 'weir: no upstream named app; there are: api\n'])
})

test('without a weir the exit code is 3', async () => {
  const { code, err } = await weirAt({ path: '/nowhere/weir.sock' }, ['deploy', 'api', '--cmd', 'true'])
  assert.equal(code, 3, err)
})
