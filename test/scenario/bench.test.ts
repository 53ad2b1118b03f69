// `weir bench` measures policies on mock servers behind a real balancer: what it says adds up, and it leaves nothing behind.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { BenchResult, PolicyResult } from '../../src/cli/bench/result.ts'
import { MAIN, NODE } from './lib/balancer.ts'
import { childrenOf, isRunning } from './lib/processes.ts'
import { inTime, until } from './lib/wait.ts'

interface Run {
  child: ChildProcess
  folder: string
  out(): string
  err(): string
  readonly ended: Promise<number | null>
}

/** `weir bench ARGS`; what it writes goes into a folder of its own. */
function bench(t: TestContext, ...args: string[]): Run {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-test-'))
  const text = { out: '', err: '' }
  const env = { ...process.env, XDG_RUNTIME_DIR: folder, NO_COLOR: '1' }
  const child = spawn(NODE, [MAIN, 'bench', '--output', join(folder, 'results'), ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text.out += more
  })
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    text.err += more
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  t.after(() => {
    // Its children end with it.
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  return { child, folder, out: () => text.out, err: () => text.err, ended }
}

async function result(run: Run): Promise<BenchResult & { files: string[] }> {
  const code = await inTime(run.ended, { within: 90_000, what: 'the end of the bench' })
  assert.equal(code, 0, run.err() + run.out())
  const envelope = JSON.parse(run.out()) as { schema: string; data: BenchResult & { files: string[] } }
  assert.equal(envelope.schema, 'weir.bench/1')
  return envelope.data
}

/** Every request of the round was begun by servers as often as it was sent: once, and once more for each retry that arrived. */
function assertAddsUp({ policy, rounds }: PolicyResult): void {
  for (const { responses, errors, retries, requests, slices, fairness, latency, histogram } of rounds) {
    const begun = Object.values(requests).reduce((sum, count) => sum + count, 0)
    const sent = responses + errors
    assert.ok(sent > 0, `${policy} has answers`)
    assert.ok(begun >= sent - errors && begun <= sent + retries, `${policy}: ${begun} begun, ${sent} sent, ${retries} retries`)
    assert.equal(
      slices.reduce((sum, slice) => sum + slice.responses + slice.errors, 0),
      sent,
    )
    assert.ok(fairness > 0 && fairness <= 1)
    assert.ok(latency.p50 > 0 && latency.p50 <= latency.p99 && latency.p99 <= latency.max)
    assert.ok(histogram.length > 20)
  }
}

test('a server that is killed half-way costs retries and no errors, and all numbers add up', async (t) => {
  const run = bench(
    t,
    '--fleet',
    'killed',
    '--policy',
    'least-connections,ring',
    '--rate',
    '200',
    '--seconds',
    '1',
    '--rounds',
    '1',
    '--json',
  )
  const { fleets, settings, isInterrupted, files } = await result(run)
  assert.deepEqual([fleets.map(({ name }) => name), isInterrupted, settings.isLive], [['killed'], false, false])
  const [fleet] = fleets
  assert.deepEqual(
    fleet?.policies.map(({ policy, rounds }) => [policy, rounds.length]),
    [
      ['least-connections', 1],
      ['consistent-hash (ring)', 1],
    ],
  )
  for (const policy of fleet?.policies ?? []) {
    assertAddsUp(policy)
    assert.equal(policy.rounds[0]?.errors, 0)
    assert.ok((policy.rounds[0]?.requests['d'] ?? 0) > 0, 'it was there before it was killed')
    assert.ok((policy.rounds[0]?.cpuUsPerRequest ?? 0) > 0)
  }
  assert.ok(files.length > 2 && files.every((file) => existsSync(file)))
})

test('the upstreams of a config are measured with its weights and its policy', async (t) => {
  const run = bench(t, '--config', 'mine.yaml', '--policy', 'random', '--rate', '100', '--seconds', '1', '--rounds', '1', '--json')
  const servers = '[{ name: one, address: "127.0.0.1:1" }, { name: three, address: "127.0.0.1:2", weight: 3 }]'
  const text = `listeners: { web: { bind: [":0"], upstream: api } }\nupstreams: { api: { balance: round-robin, servers: ${servers} } }\n`
  writeFileSync(join(run.folder, 'mine.yaml'), text)
  const { fleets, settings } = await result(run)
  const [own, other] = fleets[0]?.policies ?? []
  assert.deepEqual([own?.policy, own?.isConfigured, other?.policy, other?.isConfigured], ['round-robin', true, 'random', false])
  assert.deepEqual([settings.config, settings.isLive], ['mine.yaml', false])
  for (const policy of fleets[0]?.policies ?? []) assertAddsUp(policy)
  assert.ok((own?.rounds[0]?.fairness ?? 0) > 0.97, 'weights are kept')
})

test('Ctrl-C ends it with 130, reports what was measured and leaves no process behind', async (t) => {
  const run = bench(t, '--fleet', 'equal', '--policy', 'random,first', '--rate', '50', '--seconds', '1', '--rounds', '50')
  await until(() => /round 2 of 50/.test(run.err()), { within: 60_000, what: 'the second round' })
  const direct = childrenOf(run.child.pid as number)
  const family = [...direct, ...direct.flatMap(childrenOf)]
  assert.ok(family.length >= 4, 'servers, load, balancer and its workers run')
  run.child.kill('SIGINT')
  assert.equal(await inTime(run.ended, { within: 15_000, what: 'the end after Ctrl-C' }), 130)
  await until(() => !family.some(isRunning), { what: 'no process is left' })
  assert.match(run.out(), /^equal: Four equal servers/m)
  assert.match(run.err(), /interrupted: this is what was measured until then/)
  const [folder = ''] = readdirSync(join(run.folder, 'results'))
  const report = JSON.parse(readFileSync(join(run.folder, 'results', folder, 'report.json'), 'utf8')) as BenchResult
  assert.equal(report.isInterrupted, true)
})

test('a fleet or policy that does not exist is bad usage, and those that do are named', async (t) => {
  const fleet = bench(t, '--fleet', 'sloww')
  const policy = bench(t, '--policy', 'fastest')
  assert.deepEqual(await Promise.all([fleet.ended, policy.ended]), [2, 2])
  assert.match(fleet.err(), /no fleet is called "sloww": there are equal, one-slow,/)
  assert.match(policy.err(), /no policy is called "fastest": there are consistent-hash, power-of-two,/)
})
