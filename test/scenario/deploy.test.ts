// Rolling deploys of real servers that are killed and started again by the command, under load.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { test } from 'node:test'
import type { DeployData, DeployedServer } from '../../src/cli/deploy/data.ts'
import { type Balancer, MAIN, NODE, startBalancer } from './lib/balancer.ts'
import { config } from './lib/config.ts'
import { type DeployFleet, startFleet } from './lib/deploy-fleet.ts'
import { type MixedLoad, startMixedLoad } from './lib/mixed-load.ts'
import { inTime, type Scope, until } from './lib/wait.ts'
import { openWebSockets } from './lib/web-sockets.ts'

const RATE = 2_000
const CLIENTS = 200
const SOCKETS = 50
/** On a busy machine a program that has just started may be slow for long; that is not what is looked at here. */
const watch = ['--soak', '2s', '--max-slowdown', '1000x']
/** What takes long by default and shows nothing more here. */
const QUICK = { slowStart: '1s', health: { http: '/health', interval: '500ms', downInterval: '500ms' } }

interface Stage {
  fleet: DeployFleet
  weir: Balancer
  load: MixedLoad
}

async function setStage(scope: Scope): Promise<Stage> {
  const fleet = await startFleet(scope, 'abc')
  const settings = config({ servers: fleet.servers, upstream: QUICK, top: { control: { socket: fleet.socket } } })
  const weir = await startBalancer(scope, settings, { workers: 2, usesDefaults: true })
  const load = startMixedLoad(scope, { port: weir.port(), rate: RATE, clients: CLIENTS })
  await until(() => load.answered > RATE / 2, { within: 10_000, what: 'the load runs' })
  return { fleet, weir, load }
}

interface Deployed {
  code: number | null
  report: DeployData
  lines: string[]
}

interface DeployRun {
  child: ChildProcess
  /** Lines of its output so far. */
  lines(): string[]
  ended: Promise<Deployed>
}

function deploy(scope: Scope, { socket }: DeployFleet, args: string[]): DeployRun {
  const child = spawn(NODE, [MAIN, 'deploy', 'app', '--socket', socket, '--json', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  scope.after(() => void child.kill('SIGKILL'))
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  const lines = () => text.split('\n').slice(0, -1)
  const exited = new Promise<Deployed>((resolve) =>
    child.once('close', (code) => resolve({ code, report: JSON.parse(lines().at(-1) ?? '{}').data as DeployData, lines: lines() })),
  )
  return { child, lines, ended: inTime(exited, { within: 60_000, what: 'the end of the deploy' }) }
}

const outcomes = ({ servers }: DeployData) => servers.map(({ server, outcome, version }) => `${server} ${outcome} ${version}`)
const took = ({ server, steps }: DeployedServer) => `${server}: ${steps.map(({ step, tookMs }) => `${step} ${tookMs} ms`).join(', ')}`

function assertNothingFailed({ load, weir }: Stage): void {
  assert.deepEqual(load.failures.slice(0, 10), [], `${load.failures.length} of ${load.sent} failed\n${weir.log()}`)
}

test('three servers are killed and replaced under load: no request fails, and WebSockets of the others live on', async (t) => {
  const stage = await setStage(t)
  const { fleet, load, weir } = stage
  const sockets = await openWebSockets(t, weir, SOCKETS)
  const living = () => sockets.filter(({ isOpen }) => isOpen())
  const run = deploy(t, fleet, ['--cmd', fleet.restart('v2'), '--drain-timeout', '1s', ...watch])
  // When the first server is being restarted, only its WebSockets are gone.
  await until(() => run.lines().some((line) => line.includes('"step":"checking"')), { within: 30_000, what: 'the first restart' })
  const left = living()
  assert.ok(left.length > 0 && left.length < SOCKETS, `${left.length} WebSockets are left`)
  await Promise.all(left.map(({ echoes }) => echoes('still here')))
  const { code, report, lines } = await run.ended
  await load.stop()
  for (const server of report.servers) t.diagnostic(took(server))
  t.diagnostic(`${load.sent} requests, ${load.failures.length} failed, ${load.lost} connections lost, ${report.tookMs} ms`)
  assert.deepEqual([code, outcomes(report)], [0, ['app/a done new', 'app/b done new', 'app/c done new']], lines.join('\n'))
  assertNothingFailed(stage)
  assert.ok((report.requests ?? 0) > RATE && report.failures !== null && report.longestHoldMs !== null, JSON.stringify(report))
  assert.ok((load.versions.get('v2') ?? 0) > 0)
})

test('a command that fails stops the deploy, and nobody notices', async (t) => {
  const stage = await setStage(t)
  const { fleet, load } = stage
  const command = `[ {name} != b ] || exit 9; ${fleet.restart('v2')}`
  const { code, report } = await deploy(t, fleet, ['--cmd', command, ...watch]).ended
  await load.stop()
  assert.deepEqual([code, outcomes(report)], [4, ['app/a done new', 'app/b left unknown', 'app/c untouched old']])
  assert.equal(report.servers[1]?.state, 'drained')
  assertNothingFailed(stage)
})

test('Ctrl-C ends a command that hangs, with its children, and leaves the others serving', async (t) => {
  const stage = await setStage(t)
  const { fleet, load } = stage
  const run = deploy(t, fleet, ['--cmd', 'sleep 1000 & echo child $!; wait', '--soak', '1s'])
  const child = () => Number(/child (\d+)/.exec(run.lines().join('\n'))?.[1] ?? 0)
  await until(() => child() > 0, { within: 15_000, what: 'the command runs' })
  run.child.kill('SIGINT')
  const { code, report } = await run.ended
  await load.stop()
  assert.deepEqual([code, outcomes(report)[0]], [130, 'app/a left unknown'])
  assert.throws(() => process.kill(child(), 0), 'the child of the command is gone')
  assertNothingFailed(stage)
})
