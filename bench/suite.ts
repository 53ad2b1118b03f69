/**
 * Compares weir with other proxies in one run on one machine. `make bench-peers`, `make bench-http`, `make bench-tcp`, `make bench-tls`;
 * bench/README.md says how to read it.
 * Peers take turns and every round begins with another one, so that a slow minute of the machine hits all of them.
 */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { httpSmall } from './cases/http-small.ts'
import { type LayerName, layers } from './layers.ts'
import type { Bench } from './lib/case.ts'
import { findServers } from './lib/installed.ts'
import { httpLoadProgram, type Origins } from './lib/load.ts'
import { describeMachine, type Machine } from './lib/machine.ts'
import { median } from './lib/numbers.ts'
import { type Options, readOptions, type Work } from './lib/options.ts'
import { cleanUpAtExit, output } from './lib/processes.ts'
import { type BenchRecord, type CaseResult, readRecord, valuesOf, writeRecord } from './lib/record.ts'
import { reportCase } from './lib/report.ts'
import { runCase } from './lib/run-case.ts'
import type { PeerKind } from './peers/peer.ts'
import { writePages } from './performance/write-pages.ts'

findServers()
const options = readOptions(process.argv.slice(2))
cleanUpAtExit()
await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
})

async function main(): Promise<void> {
  // Before this process is pinned: afterwards it would see one core.
  const machine = describeMachine()
  const cores = await coresToUse()
  const record = options.resume === null ? newRecord(options, machine, cores) : resumed(options.resume, machine)
  const file = options.resume ?? join(import.meta.dirname, '../build/bench', `${record.time.slice(0, 19).replaceAll(':', '-')}.json`)
  console.log(
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}, ` +
      `nginx ${machine.nginx}, HAProxy ${machine.haproxy}, OpenSSL ${machine.openssl} and Node's ${machine.nodeOpenssl}; ` +
      `${record.rounds} rounds of ${record.seconds} s, HTTP load by ${record.load}`,
  )
  for (const { peer, reason } of record.skipped) console.log(`skipped: ${peer}: ${reason}`)
  await runAll(record, file, { ...options, rounds: record.rounds, seconds: record.seconds })
  console.log(`\nwritten to ${file}`)
  if (options.pages) for (const page of writePages([record])) console.log(`written to ${page}`)
  process.exit(record.results.some((result) => result.failures.length > 0) ? 1 : 0)
}

/** Every case that the record does not have yet; it is written after each. */
async function runAll(record: BenchRecord, file: string, { work, rounds, seconds, full }: Options): Promise<void> {
  const servers = new Map<LayerName, Origins>()
  const maxima = new Map<string, number>()
  const nginxMaximum = { value: 0 }
  for (const { layer, one, peers } of work) {
    const done = record.results.find((result) => result.name === one.name)
    const origins = servers.get(layer) ?? (await layers[layer].startServers(record.cores.load))
    servers.set(layer, origins)
    const bench: Bench = { cores: record.cores, origins: origins.ports, seconds, full, nginxMaximum, maxima }
    const result = done ?? (await runCase(one, present(peers), rounds, bench, progress))
    if (one === httpSmall) learnMaxima(result, bench)
    if (done) continue
    record.results.push(result)
    console.log(reportCase(one, result, record.machine.cores))
    writeRecord(file, record)
  }
  await Promise.all([...servers.values()].map((origins) => origins.stop()))
}

function learnMaxima(result: CaseResult, bench: Bench): void {
  for (const peer of Object.keys(result.samples)) bench.maxima?.set(peer, median(valuesOf(result, peer, 'rps')))
  bench.nginxMaximum.value = bench.maxima?.get('nginx') ?? 0
}

function progress(what: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r${what.padEnd(60)}\r` : `${what}\n`)
}

function newRecord({ suite, work, rounds, seconds, full }: Options, machine: Machine, cores: Bench['cores']): BenchRecord {
  const load = httpLoadProgram() === 'wrk' ? `wrk ${machine.wrk}` : 'autocannon'
  const time = new Date().toISOString()
  return { schema: 2, time, suite, machine, rounds, seconds, full, load, cores, skipped: missing(work), results: [] }
}

/** A record that an interrupted run left. On another machine, or of another commit, its cases would be compared with strangers. */
function resumed(file: string, now: Machine): BenchRecord {
  const record = readRecord(file)
  const differs = (['cpu', 'cores', 'kernel', 'commit', 'node'] as const).filter((key) => now[key] !== record.machine[key])
  if (differs.length === 0) return record
  const changes = differs.map((key) => `${key} was ${record.machine[key]} and is ${now[key]}`)
  console.error(`cannot resume ${file}: ${changes.join(', ')}`)
  return process.exit(2)
}

/** Each peer that is not there, once. */
function missing(work: Work[]): BenchRecord['skipped'] {
  const reasons = work.flatMap(({ peers }) => peers.map((kind) => [kind.name, kind.obstacle?.() ?? null] as const))
  return [...new Map(reasons)].flatMap(([peer, reason]) => (reason === null ? [] : [{ peer, reason }]))
}

function present(peers: PeerKind[]): PeerKind[] {
  return peers.filter((kind) => (kind.obstacle?.() ?? null) === null)
}

/** Proxy on core 0; servers, clients and this process on core 1. */
async function coresToUse(): Promise<Bench['cores']> {
  if (availableParallelism() < 2) {
    console.log('only one core: proxy, servers and clients share it, nothing is pinned, and req/s says little')
    return { proxy: null, load: null }
  }
  await output(null, 'taskset', ['-acp', '1', String(process.pid)])
  return { proxy: 0, load: 1 }
}
