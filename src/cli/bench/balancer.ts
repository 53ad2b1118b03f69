/** The balancer before a fleet: a process of its own, as it runs in earnest, and what its own counters say. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { packageFile } from '../../shared/base/program-files.ts'
import type { MetricName } from '../../shared/metrics.ts'
import { connectControl } from '../control-client.ts'
import { balancerConfig, type ConfigPlan } from './balancer-config.ts'
import { cpuTimeOf, processTree } from './cpu.ts'

const READY_MS = 30_000
const ENDS_MS = 5_000
const USABLE_MS = 20_000
const ANSWER_MS = 10_000

const RETRIES: MetricName = 'weir_retries_total'
const QUEUE_WAIT: MetricName = 'weir_upstream_queue_wait_seconds'

/** Of one policy, since the start of the balancer. */
export interface BalancerCounts {
  retries: number
  queueMs: number
}

export class BenchBalancer {
  readonly #process: ChildProcess
  readonly #folder: string
  #output = ''

  private constructor(plan: Omit<ConfigPlan, 'controlSocket'>) {
    this.#folder = mkdtempSync(join(tmpdir(), 'weir-bench-'))
    // Workers of root give up its rights, and still read the config.
    chmodSync(this.#folder, 0o755)
    const file = join(this.#folder, 'weir.json')
    writeFileSync(file, JSON.stringify(balancerConfig({ ...plan, controlSocket: this.#socket })))
    // As it is installed, also where this command runs from its sources. A group of its own: Ctrl-C must not end it before its clients.
    const main = fileURLToPath(packageFile('dist/main.js'))
    this.#process = spawn(process.execPath, [main, 'run', file], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    this.#process.on('error', (error) => this.#keep(error.message))
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => this.#keep(text))
  }

  /** Starts it and waits until it serves. Rejects with what it said when it does not. */
  static async start(plan: Omit<ConfigPlan, 'controlSocket'>): Promise<BenchBalancer> {
    const balancer = new BenchBalancer(plan)
    try {
      await balancer.#ready()
      return balancer
    } catch (error) {
      await balancer.end()
      throw error
    }
  }

  get pid(): number {
    return this.#process.pid ?? -1
  }

  /** Of the listener. */
  get url(): string {
    return /listening on (\S+) \(bench\)/.exec(this.#output)?.[1] ?? ''
  }

  /** Of all its processes so far, in microseconds. */
  cpuUs(): number {
    return cpuTimeOf(processTree(this.pid)).ranNs / 1_000
  }

  /** What it counted for a policy. */
  async counts(policy: string): Promise<BalancerCounts> {
    const admin = /the HTTP interface is at (\S+)/.exec(this.#output)?.[1]
    const response = await fetch(`${admin}/metrics`, { signal: AbortSignal.timeout(ANSWER_MS) })
    const text = await response.text()
    return {
      retries: sampleSum(text, RETRIES, `route="/${policy}/"`),
      queueMs: sampleSum(text, `${QUEUE_WAIT}_sum`, `upstream="${policy}"`) * 1_000,
    }
  }

  /** Waits until an upstream sends requests to so many servers, be it on trial, as after one of them has come back. */
  async untilUsable(policy: string, servers: number): Promise<void> {
    const client = await connectControl(this.#socket)
    try {
      const deadline = performance.now() + USABLE_MS
      for (;;) {
        const { upstreams } = (await client.ask('status', {}, { withinMs: ANSWER_MS })).data
        const upstream = upstreams.find(({ name }) => name === policy)
        const usable = upstream?.servers.filter(({ state }) => ['up', 'warming', 'probing'].includes(state)).length ?? 0
        if (usable >= servers) return
        if (performance.now() > deadline) throw new Error(`${policy} has ${usable} usable servers of ${servers} after ${USABLE_MS} ms`)
        await delay(50)
      }
    } finally {
      client.close()
    }
  }

  /** TERM, and force when that takes too long. Returns when all of its processes are gone. */
  async end(): Promise<void> {
    if (!this.#hasEnded) {
      const gone = once(this.#process, 'exit')
      this.#process.kill('SIGTERM')
      const force = setTimeout(() => this.#kill(), ENDS_MS)
      await gone
      clearTimeout(force)
    }
    this.#kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #socket(): string {
    return join(this.#folder, 'weir.sock')
  }

  get #hasEnded(): boolean {
    return this.#process.pid === undefined || this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + READY_MS
    while (!/ ready \(\d+ workers?\)/.test(this.#output)) {
      if (this.#hasEnded) throw new Error(`the balancer did not start: ${this.#output.trim()}`)
      if (performance.now() > deadline) throw new Error(`the balancer was not ready within ${READY_MS / 1_000} s: ${this.#output.trim()}`)
      await delay(20)
    }
  }

  #keep(text: string): void {
    this.#output += text
  }

  /** It and its workers. */
  #kill(): void {
    if (this.#process.pid === undefined) return
    try {
      process.kill(-this.#process.pid, 'SIGKILL')
    } catch {
      // The group is gone, as it should be.
    }
  }
}

/** The sum of all samples of a metric that have this label. */
function sampleSum(exposition: string, name: string, label: string): number {
  const lines = exposition.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(label))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
