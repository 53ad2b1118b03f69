/**
 * Compares weir with nginx and HAProxy in one run on one machine. `make bench-http`, `make bench-tcp`, `make bench-tls`;
 * bench/README.md says how to read it.
 * Peers take turns and every round begins with another one, so that a slow minute of the machine hits all of them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { httpLarge } from './cases/http-large.ts'
import { httpLatency } from './cases/http-latency.ts'
import { httpManyServers } from './cases/http-many-servers.ts'
import { httpSmall } from './cases/http-small.ts'
import { idleMemory } from './cases/idle-memory.ts'
import { tcpBulk1m } from './cases/tcp-bulk-1m.ts'
import { tcpBulk64m } from './cases/tcp-bulk-64m.ts'
import { tcpConnect } from './cases/tcp-connect.ts'
import { tcpSmall } from './cases/tcp-small.ts'
import { tlsHandshakes } from './cases/tls-handshakes.ts'
import { tlsHandshakesRsa } from './cases/tls-handshakes-rsa.ts'
import { tlsIdleMemory } from './cases/tls-idle-memory.ts'
import { tlsLarge } from './cases/tls-large.ts'
import { tlsResumed } from './cases/tls-resumed.ts'
import { tlsSmall } from './cases/tls-small.ts'
import { tls12Handshakes } from './cases/tls12-handshakes.ts'
import { tls12Resumed } from './cases/tls12-resumed.ts'
import type { Bench, Case, Sample } from './lib/case.ts'
import { machineTime, stolenSince } from './lib/cpu.ts'
import { type Origins, startEchoes, startOrigins } from './lib/load.ts'
import { describeMachine } from './lib/machine.ts'
import { median } from './lib/numbers.ts'
import { cleanUpAtExit, output } from './lib/processes.ts'
import { type CaseResult, reportCase } from './lib/report.ts'
import { direct } from './peers/direct.ts'
import { haproxy, haproxyAlternatives } from './peers/haproxy.ts'
import { haproxyTcp, haproxyTcpAlternatives } from './peers/haproxy-tcp.ts'
import { haproxyTls, haproxyTlsAlternatives } from './peers/haproxy-tls.ts'
import { nginx, nginxAlternatives } from './peers/nginx.ts'
import { nginxTcp, nginxTcpAlternatives } from './peers/nginx-tcp.ts'
import { nginxTls, nginxTlsAlternatives } from './peers/nginx-tls.ts'
import type { PeerKind } from './peers/peer.ts'
import { weir, weirAlternatives } from './peers/weir.ts'
import { weirTcp } from './peers/weir-tcp.ts'

/** What is compared on one layer. A peer has the same name on all. */
interface Layer {
  cases: Case[]
  peers: PeerKind[]
  startServers(core: number | null): Promise<Origins>
}

const layers: Record<'http' | 'tcp' | 'tls', Layer> = {
  http: {
    cases: [httpSmall, httpLatency, httpLarge, idleMemory, httpManyServers],
    peers: [nginx, haproxy, weir, ...weirAlternatives, ...nginxAlternatives, ...haproxyAlternatives],
    startServers: startOrigins,
  },
  tcp: {
    cases: [tcpSmall, tcpBulk1m, tcpBulk64m, tcpConnect],
    peers: [nginxTcp, haproxyTcp, weirTcp, direct, ...nginxTcpAlternatives, ...haproxyTcpAlternatives],
    startServers: startEchoes,
  },
  tls: {
    cases: [tlsHandshakes, tls12Handshakes, tlsHandshakesRsa, tlsResumed, tls12Resumed, tlsSmall, tlsLarge, tlsIdleMemory],
    peers: [nginxTls, haproxyTls, weir, ...nginxTlsAlternatives, ...haproxyTlsAlternatives],
    startServers: startOrigins,
  },
}
const help = `usage: suite.ts [http|tcp|tls] [--rounds 3] [--seconds 4] [--peers nginx,haproxy,weir] [--case a,b] [--full]
${Object.entries(layers)
  .map(([name, layer]) => `${name} cases: ${namesOf(layer.cases)}\n${name} peers: ${namesOf(layer.peers)}`)
  .join('\n')}`

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    peers: { type: 'string', default: 'nginx,haproxy,weir' },
    case: { type: 'string' },
    full: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (options.help) {
  console.log(help)
  process.exit(0)
}
cleanUpAtExit()
await main()

async function main(): Promise<void> {
  const layer = layerOf(positionals)
  const cases = options.case === undefined ? layer.cases : named(layer.cases, options.case)
  const peers = named(layer.peers, options.peers)
  const [rounds, seconds] = [positive('rounds', options.rounds), positive('seconds', options.seconds)]
  const machine = describeMachine()
  const cores = await coresToUse()
  const origins = await layer.startServers(cores.load)
  const bench: Bench = { cores, origins: origins.ports, seconds, full: options.full, nginxMaximum: { value: 0 } }
  console.log(
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}, ` +
      `nginx ${machine.nginx}, HAProxy ${machine.haproxy}, OpenSSL ${machine.openssl} and Node's ${machine.nodeOpenssl}; ${rounds} rounds of ${seconds} s`,
  )
  const results: CaseResult[] = []
  for (const one of cases) {
    const result = await runCase(one, peers, rounds, bench)
    results.push(result)
    console.log(reportCase(one, result))
  }
  await origins.stop()
  write({ machine, rounds, seconds, full: options.full, cores, results })
  process.exit(results.some((result) => result.failures.length > 0) ? 1 : 0)
}

async function runCase(one: Case, peers: PeerKind[], rounds: number, bench: Bench): Promise<CaseResult> {
  const result: CaseResult = {
    name: one.name,
    question: questionOf(one),
    samples: {},
    failures: [],
    obstacle: one.obstacle(bench),
    stolen: 0,
  }
  const before = machineTime()
  const failed = new Set<PeerKind>()
  for (let round = 0; round < rounds && result.obstacle === null; round++) {
    for (const peer of turnOrder(peers, round).filter((kind) => !failed.has(kind))) {
      process.stderr.write(`${one.name} round ${round + 1}/${rounds} ${peer.name}          \r`)
      try {
        keep(result, peer.name, await one.measure(peer, bench))
      } catch (error) {
        failed.add(peer)
        result.failures.push(`${peer.name}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
  result.stolen = stolenSince(before)
  if (one === httpSmall) bench.nginxMaximum.value = median((result.samples['nginx'] ?? []).map((sample) => sample['rps'] ?? 0)) || 0
  return result
}

function keep(result: CaseResult, peer: string, sample: Sample): void {
  result.samples[peer] = [...(result.samples[peer] ?? []), sample]
}

/** A B C, B C A, C A B. */
function turnOrder(peers: PeerKind[], round: number): PeerKind[] {
  const first = round % peers.length
  return [...peers.slice(first), ...peers.slice(0, first)]
}

/** The first line of the case's file. */
function questionOf(one: Case): string {
  const file = readFileSync(join(import.meta.dirname, 'cases', `${one.name}.ts`), 'utf8')
  return (file.split('\n')[0] ?? '').replace(/^\/\/ /, '')
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

function layerOf([name = 'http', ...more]: string[]): Layer {
  if ((name === 'http' || name === 'tcp' || name === 'tls') && more.length === 0) return layers[name]
  console.error(`http, tcp or tls, not ${[name, ...more].join(' ')}\n${help}`)
  return process.exit(2)
}

function namesOf(all: { name: string }[]): string {
  return all.map((one) => one.name).join(' ')
}

function named<T extends { name: string }>(all: T[], names: string): T[] {
  return names.split(',').map((name) => {
    const found = all.find((one) => one.name === name)
    if (found) return found
    console.error(`unknown name: ${name}\n${help}`)
    return process.exit(2)
  })
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  console.error(`--${name} needs a whole number above 0, not ${text}\n${help}`)
  return process.exit(2)
}

function write(record: object): void {
  const directory = join(import.meta.dirname, '../build/bench')
  const time = new Date().toISOString()
  const file = join(directory, `${time.slice(0, 19).replaceAll(':', '-')}.json`)
  mkdirSync(directory, { recursive: true })
  writeFileSync(file, `${JSON.stringify({ schema: 1, time, ...record }, null, 2)}\n`)
  console.log(`\nwritten to ${file}`)
}
