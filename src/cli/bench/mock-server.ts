/** Entry of a process with mock servers: real sockets, service times from a distribution, limited concurrency. It ends with its parent. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Lru } from './lru.ts'
import { type FromMock, KEY_HEADER, MEASURED_HEADER, type MockCount, type MockPlan, type ToMock } from './messages.ts'
import { seededRandom, seedOf } from './seeded-random.ts'
import { sampler } from './service-time.ts'
import { WorkQueue } from './work-queue.ts'

const BODY = 'served\n'

class MockServer {
  readonly #plan: MockPlan
  readonly #cache: Lru | null
  readonly #server: Server
  #queue: WorkQueue
  #work: () => number = () => 0
  #hit: () => number = () => 0
  #count: MockCount = { begun: 0, hits: 0 }

  constructor(plan: MockPlan) {
    this.#plan = plan
    this.#queue = new WorkQueue(plan.atOnce)
    this.#cache = plan.cache === null ? null : new Lru(plan.cache.keys)
    this.reset(0)
    this.#server = createServer((request, response) => this.#serve(request, response))
    // The balancer keeps its connections between rounds.
    this.#server.keepAliveTimeout = 0
  }

  get name(): string {
    return this.#plan.name
  }

  get count(): MockCount {
    return this.#count
  }

  reset(seed: number): void {
    const { name, atOnce, service, cache } = this.#plan
    const random = seededRandom(seedOf(seed, name))
    this.#queue = new WorkQueue(atOnce)
    this.#work = sampler(service, random)
    this.#hit = cache === null ? this.#work : sampler(cache.hit, random)
    this.#count = { begun: 0, hits: 0 }
  }

  /** The port. Rejects with the error of the system. */
  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ port, host: '127.0.0.1', backlog: 4_096 }, () => resolve((this.#server.address() as AddressInfo).port))
    })
  }

  emptyCache(): void {
    this.#cache?.clear()
  }

  #serve({ headers }: IncomingMessage, response: ServerResponse): void {
    const isHit = this.#cache?.touch(String(headers[KEY_HEADER])) ?? false
    if (headers[MEASURED_HEADER] !== undefined) {
      this.#count.begun++
      if (isHit) this.#count.hits++
    }
    const now = performance.now()
    const done = this.#queue.admit(now, isHit ? this.#hit() : this.#work())
    const answer = () => response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': BODY.length }).end(BODY)
    setTimeout(answer, Math.round(done - now))
  }
}

const servers: MockServer[] = []

function tell(message: FromMock, then: () => void = () => undefined): void {
  process.send?.(message, then)
}

async function serve(plans: readonly MockPlan[]): Promise<void> {
  const ports: Record<string, number> = {}
  try {
    for (const plan of plans) {
      const server = new MockServer(plan)
      ports[plan.name] = await server.listen(plan.port)
      servers.push(server)
    }
    tell({ type: 'serving', ports })
  } catch (error) {
    tell({ type: 'failed', message: (error as Error).message }, () => process.exit(1))
  }
}

function counts(): FromMock {
  return { type: 'counts', counts: Object.fromEntries(servers.map(({ name, count }) => [name, count])) }
}

function obey(message: ToMock): void {
  switch (message.type) {
    case 'serve':
      void serve(message.servers)
      break
    case 'reset':
      for (const server of servers) server.reset(message.seed)
      tell(counts())
      break
    case 'empty-caches':
      for (const server of servers) server.emptyCache()
      break
    case 'stall':
      // As in a long pause of a garbage collector: the kernel goes on to accept, the process does nothing.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, message.ms)
      break
    case 'count':
      tell(counts())
      break
    case 'die':
      tell(counts(), () => process.kill(process.pid, 'SIGKILL'))
  }
}

process.on('message', obey)
process.on('disconnect', () => process.exit(0))
// Ctrl-C goes to all processes of a terminal: the parent ends this one when it needs it no more.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)
