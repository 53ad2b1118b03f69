/** An upstream without a balancer, for deploys: it does what the verbs say at once, keeps its own clock, and breaks when it is told to. */
import { setImmediate as turn } from 'node:timers/promises'
import type { DeployProgress } from '../../../../src/cli/deploy/data.ts'
import type { AskFor, CommandEnd, DeployKit, Effects, ShellCommand } from '../../../../src/cli/deploy/effects.ts'
import { type DeployArguments, readOptions } from '../../../../src/cli/deploy/options.ts'
import type { ServerFigures, ServerStatus, UpstreamStatus } from '../../../../src/shared/control/data.ts'
import type { DataOf, RequestOf, VerbName } from '../../../../src/shared/control/requests.ts'
import { server as sampleServer } from './samples.ts'

/** A server as it is in truth. */
export interface FakeServer {
  readonly id: string
  admin: ServerStatus['admin']
  weight: number
  isBackup: boolean
  isChecked: boolean
  /** Its program answers checks. */
  isWell: boolean
  /** Of requests. */
  failing: number
  firstByteMs: number
  version: 'old' | 'new' | 'back'
  inFlight: number
  state?: ServerStatus['state']
}

export interface Call {
  /** A verb, `run` or `reach` or `sleep`. */
  what: VerbName | 'run' | 'reach' | 'sleep'
  /** upstream/server, or ''. */
  server: string
  text: string
}

export interface FakeFleet {
  readonly servers: FakeServer[]
  readonly calls: Call[]
  readonly events: DeployProgress[]
  readonly kit: DeployKit
  /** Runs before each call takes effect, and after; what it throws is what the call comes to. */
  onCall: (call: Call, when: 'before' | 'after') => void
  /** What a command comes to; its effect on the server is made here. */
  onCommand: (server: FakeServer, text: string) => CommandEnd
  server(id: string): FakeServer
  upstream(): UpstreamStatus
}

const perSecond = 200
const clearMs = 100

export const usual: DeployArguments = {
  upstream: 'api',
  cmd: 'deploy {name}',
  'rollback-cmd': undefined,
  'rollback-all': false,
  batch: 1,
  floor: '50%',
  force: false,
  'include-drained': false,
  'drain-timeout': '30s',
  'cmd-timeout': '5m',
  'health-timeout': '60s',
  checks: 2,
  soak: '10s',
  'max-failures': '1%',
  'max-slowdown': '3x',
}

/** Servers `api/a`, `api/b`, … that are well and old. */
export function fakeFleet(names: string, args: Partial<DeployArguments> = {}): FakeFleet {
  const servers = [...names].map(
    (name): FakeServer => ({
      ...{ id: `api/${name}`, admin: 'ready', weight: 1, isBackup: false, isChecked: true, isWell: true },
      ...{ failing: 0, firstByteMs: 5, version: 'old', inFlight: 3 },
    }),
  )
  const fleet = new Fleet(servers)
  return Object.assign(fleet, {
    kit: {
      options: readOptions({ ...usual, ...args }),
      effects: fleet.effects(),
      tell: (event: DeployProgress) => void fleet.events.push(event),
    },
  })
}

class Fleet {
  readonly servers: FakeServer[]
  readonly calls: Call[] = []
  readonly events: DeployProgress[] = []
  onCall: FakeFleet['onCall'] = () => undefined
  onCommand: FakeFleet['onCommand'] = (server, text) => {
    server.version = text.startsWith('deploy') ? 'new' : 'back'
    return { kind: 'exit', code: 0 }
  }
  #now = 1_000

  constructor(servers: FakeServer[]) {
    this.servers = servers
  }

  server(id: string): FakeServer {
    const found = this.servers.find((server) => server.id === id)
    if (found === undefined) throw new Error(`no server ${id}`)
    return found
  }

  upstream(): UpstreamStatus {
    const servers = this.servers.map((server) => this.#status(server))
    return {
      name: 'api',
      balance: 'power-of-two',
      breaker: 1,
      waiting: 0,
      usable: servers.filter(({ state }) => state === 'up').length,
      servers,
    }
  }

  effects(): Effects {
    return {
      now: () => this.#now,
      sleep: (ms, signal) => this.#call({ what: 'sleep', server: '', text: String(ms) }, signal, () => this.#pass(ms)),
      ask: <V extends VerbName>(verb: V, request: RequestOf<V>, { signal }: AskFor) => {
        const server = 'server' in request ? (request.server as string) : ''
        return this.#call({ what: verb, server, text: JSON.stringify(request) }, signal, () => this.#answer(verb, request) as DataOf<V>)
      },
      run: (command) => this.#run(command),
      reach: (address, signal) =>
        this.#call(
          { what: 'reach', server: address, text: '' },
          signal,
          () => this.servers.find(({ id }) => addressOf(id) === address)?.isWell === true,
        ),
    }
  }

  #pass(ms: number): void {
    this.#now += ms
  }

  async #call<T>(call: Call, signal: AbortSignal, act: () => T): Promise<T> {
    signal.throwIfAborted()
    this.calls.push(call)
    this.onCall(call, 'before')
    await turn()
    signal.throwIfAborted()
    const value = act()
    this.onCall(call, 'after')
    await turn()
    signal.throwIfAborted()
    return value
  }

  async #run({ text, env, signal, onLine }: ShellCommand): Promise<CommandEnd> {
    const call: Call = { what: 'run', server: env['WEIR_SERVER'] ?? '', text }
    this.calls.push(call)
    this.onCall(call, 'before')
    await turn()
    if (signal.aborted) return { kind: 'stopped' }
    const end = this.onCommand(this.server(call.server), text)
    onLine('done')
    this.onCall(call, 'after')
    await turn()
    return signal.aborted ? { kind: 'stopped' } : end
  }

  #answer(verb: VerbName, request: unknown): unknown {
    const { server: id = '', condition = '' } = request as { server?: string; condition?: string }
    if (verb === 'status') return { upstreams: [this.upstream()] }
    if (verb === 'figures') return { longestHoldMs: 0, servers: this.servers.map((server) => this.#figures(server)) }
    const server = this.server(id)
    switch (verb) {
      case 'drain':
        server.admin = 'drain'
        return {}
      case 'ready':
      case 'maint':
        server.admin = verb
        return {}
      case 'cut':
        server.inFlight = 0
        return { server: id, dryRun: false, cut: 3 }
      case 'wait':
        return {
          server: id,
          condition,
          isMet: this.#waited(server, condition),
          waitedMs: clearMs,
          remaining: { inFlight: 0, tunnels: 0 },
          goodChecks: 0,
        }
      default:
        throw new Error(`a deploy has no use for ${verb}`)
    }
  }

  #waited(server: FakeServer, condition: string): boolean {
    this.#now += clearMs
    if (condition === 'checked') return server.isWell
    if (condition === 'up') return server.isWell && server.admin === 'ready'
    return true
  }

  #status(server: FakeServer): ServerStatus {
    const { id, admin, weight, isBackup, isChecked, isWell } = server
    const served: ServerStatus['state'] = isWell || !isChecked ? 'up' : 'down'
    const state = server.state ?? (admin === 'ready' ? served : admin === 'drain' ? 'drained' : 'maint')
    return sampleServer(id, { admin, weight, isBackup, isChecked, state, address: addressOf(id), lastCheck: null })
  }

  #figures({ id, failing, firstByteMs }: FakeServer): ServerFigures {
    const count = Math.round((this.#now / 1_000) * perSecond)
    const failures = Math.round(count * failing)
    return { id, exchanges: count, successes: count - failures, failures, firstByteCounts: { [firstByteMs * 1_000]: count } }
  }
}

function addressOf(id: string): string {
  return `10.0.0.1:${id.charCodeAt(id.length - 1)}`
}
