/** The proof of examples/rolling-deploy: its script starts the servers, and a deploy replaces them while somebody asks all the time. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { MAIN, NODE } from '../../scenario/lib/balancer.ts'
import { type Scope, until } from '../../scenario/lib/wait.ts'
import { root } from './sources.ts'

const run = promisify(execFile)
const example = join(root, 'examples/rolling-deploy')
const socket = `${process.env['XDG_RUNTIME_DIR'] || '/tmp'}/weir-rolling-deploy.sock`

/** `address`: where the example listens. Its servers are down. */
export async function proveRollingDeploy(scope: Scope, address: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-rolling-'))
  scope.after(() => end(folder))
  const env = { ...process.env, PATH: `${dirname(NODE)}${delimiter}${process.env['PATH']}` }
  const weir = async (...args: string[]) =>
    (await run(NODE, [MAIN, ...args, '--socket', socket], { cwd: folder, env, timeout: 60_000 })).stdout
  const { data } = JSON.parse(await weir('status', '--json')) as { data: { upstreams: { servers: { name: string; address: string }[] }[] } }
  for (const server of data.upstreams[0]?.servers ?? [])
    await run(join(example, 'restart.sh'), [server.name, server.address.split(':')[1] ?? ''], { cwd: folder, env })
  const who = async () => (await fetch(`http://${address}/`)).text()
  await until(async () => (await seenBy(who)).join(' ') === 'a1 b1 c1', { within: 20_000, what: 'all servers of the example serve' })
  const asking = askAllTheTime(who)
  const report = await weir('deploy', 'shop', '--cmd', `VERSION=2 ${example}/restart.sh {name} {port}`, '--soak', '1s')
  const failures = await asking.stop()
  assert.match(report, /shop is deployed\n3 of 3 servers new/)
  assert.deepEqual([failures, await seenBy(who)], [[], ['a2', 'b2', 'c2']])
}

/** Who answers forty requests, and in which version. */
async function seenBy(who: () => Promise<string>): Promise<string[]> {
  const seen = new Set<string>()
  for (let i = 0; i < 40; i++) seen.add((await who()).replace(/^(\w) in version (\d)\n$/, '$1$2'))
  return [...seen].sort()
}

/** One request after the other. `stop` answers what was no good answer. */
function askAllTheTime(who: () => Promise<string>): { stop(): Promise<string[]> } {
  const failures: string[] = []
  let isOver = false
  const ask = async () => {
    while (!isOver) {
      const answer = await who().catch((error: Error) => error.message)
      if (!/^[abc] in version [12]\n$/.test(answer)) failures.push(answer)
    }
  }
  const asked = ask()
  return {
    async stop() {
      isOver = true
      await asked
      return failures
    },
  }
}

function end(folder: string): void {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.pid'))) {
    try {
      process.kill(Number(readFileSync(join(folder, name), 'utf8')), 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
  rmSync(folder, { recursive: true, force: true })
}
