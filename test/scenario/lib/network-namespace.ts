/** A network of its own for one server, whose packets can be dropped without a word. Needs root and `ip`. */
import { execFileSync } from 'node:child_process'
import type { TestContext } from 'node:test'
import { findTool } from './tools.ts'
import type { Scope } from './wait.ts'

export interface NetworkNamespace {
  /** Address inside, which is reached from outside. */
  readonly host: string
  /** What a command begins with that is to run inside. */
  readonly prefix: string[]
  /** From now on every packet that comes in vanishes: no answer, no refusal. */
  dropPackets(): void
  letPacketsPass(): void
}

/** Makes one that goes with the scope. Where it cannot be made the test is skipped, its report says why, and the answer is undefined. */
export function needsNamespace(t: TestContext & Scope): NetworkNamespace | undefined {
  const ip = findTool('ip')
  if (ip === undefined) t.skip('needs ip, which is not installed')
  else if (process.getuid?.() !== 0) t.skip('needs root to make a network namespace')
  else {
    try {
      return make(t, ip)
    } catch (error) {
      t.skip(`a network namespace is not permitted here: ${(error as Error).message}`)
    }
  }
  return undefined
}

function make(scope: Scope, ip: string): NetworkNamespace {
  const run = (command: string) => void execFileSync(ip, command.split(' '), { stdio: ['ignore', 'ignore', 'pipe'] })
  const name = `weir-${process.pid}`
  // Addresses that are set aside for tests of networks (RFC 2544).
  const net = `198.18.${process.pid % 251}`
  const [outside, inside] = [`wo${process.pid}`, `wi${process.pid}`]
  run(`netns add ${name}`)
  scope.after(() => run(`netns del ${name}`))
  run(`link add ${outside} type veth peer name ${inside} netns ${name}`)
  // With its peer; the namespace itself may stay until the last process in it has ended.
  scope.after(() => run(`link del ${outside}`))
  run(`addr add ${net}.1/30 dev ${outside}`)
  run(`link set ${outside} up`)
  run(`-n ${name} addr add ${net}.2/30 dev ${inside}`)
  run(`-n ${name} link set ${inside} up`)
  // The rule for its own addresses is always the first one; behind a rule of ours it makes room for one that drops.
  run(`-n ${name} rule add pref 100 lookup local`)
  run(`-n ${name} rule del pref 0`)
  return {
    host: `${net}.2`,
    prefix: [ip, 'netns', 'exec', name],
    dropPackets: () => run(`-n ${name} rule add pref 1 iif ${inside} blackhole`),
    letPacketsPass: () => run(`-n ${name} rule del pref 1`),
  }
}
