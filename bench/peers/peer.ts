/** What the suite knows about a proxy that it compares. */
import { request } from 'node:https'
import { connect, createServer } from 'node:net'
import { processTree } from '../../src/cli/bench/cpu.ts'
import type { Identity } from '../lib/certificates.ts'
import { type Child, type Core, collect, isRunning, removeDirectory, start, stop } from '../lib/processes.ts'

export interface PeerKind {
  name: string
  /** Why it cannot be started on this machine, with what to do about it; null when it can. Without it, it is expected to be there. */
  obstacle?(): string | null
  /** Seconds of load before it is measured over HTTP; 1 by default. Slow ones that compile while they run have seen too little after that. */
  warmUp?: number
  start(options: PeerOptions): Promise<RunningPeer>
}

export interface PeerOptions {
  core: Core
  /** `host:port` of every server. */
  servers: string[]
  /** Routes `/r/0/` to `/r/N-1/` beside the one that matches everything; all lead to the same servers. */
  routes: number
  /** What is sent through it. Buffer sizes that are best for large bodies cost small ones cache, so peers may have one for each. */
  bodies: 'small' | 'large'
  /** What clients are shown; without it they speak plainly. */
  tls?: Identity
  /** Processes or threads that serve; 1 by default. */
  workers?: number
}

export function workersOf(options: PeerOptions): number {
  return options.workers ?? 1
}

export interface RunningPeer {
  port: number
  /** Every process of the peer as of now. */
  pids(): number[]
  stop(): Promise<void>
}

/** What the peer answered on its port in place of what it should; null when it is ready. */
export type Probe = (port: number) => Promise<string | null>

/** Starts the program and waits until the probe is content. Its directory is removed when it is stopped. */
export async function startPeer(
  core: Core,
  port: number,
  directory: string,
  command: string[],
  probe: Probe = probeHttp,
): Promise<RunningPeer> {
  const [program, ...words] = command
  const child = start(core, program ?? '', words)
  const said = [collect(child.stdout), collect(child.stderr)]
  const stopAll = async (): Promise<void> => {
    await stop(child)
    removeDirectory(directory)
  }
  try {
    await answering(child, port, probe)
  } catch (cause) {
    await stopAll()
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${command.join(' ')}: ${why}: ${said.map((part) => part.text.trim()).join('\n')}`, { cause })
  }
  return { port, pids: () => processTree(child.pid ?? -1), stop: stopAll }
}

/**
 * A port on which nobody listens, below the range from which the kernel takes ports of outgoing connections: else one of
 * those could take it before the peer does.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    const server = createServer()
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (free) return port
  }
}

async function answering(child: Child, port: number, probe: Probe): Promise<void> {
  const deadline = Date.now() + 20_000
  let answer: string | null = 'no answer'
  while (Date.now() < deadline && isRunning(child)) {
    answer = await probe(port)
    if (answer === null) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(isRunning(child) ? `${answer} after 20 s` : 'ended at once')
}

/** Wants the status 200. */
async function probeHttp(port: number): Promise<string | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2_000), headers: { connection: 'close' } })
    await response.arrayBuffer()
    return response.status === 200 ? null : `status ${response.status}`
  } catch {
    return 'no answer'
  }
}

/** Wants the status 200 over TLS, whoever the server says it is. */
export function probeHttps(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const options = { port, host: '127.0.0.1', servername: 'bench.example', rejectUnauthorized: false, agent: false as const }
    const asked = request(options, (response) => {
      response.resume()
      response.once('close', () => resolve(response.statusCode === 200 ? null : `status ${response.statusCode}`))
    })
    asked.once('error', () => resolve('no answer'))
    asked.setTimeout(2_000, () => asked.destroy())
    asked.end()
  })
}

/** Wants one byte back from `load/echo.cc`. */
export async function probeEcho(port: number): Promise<string | null> {
  const socket = connect(port, '127.0.0.1')
  const got = await new Promise<string>((resolve) => {
    socket.once('data', (data) => resolve(data.toString('latin1')))
    socket.once('error', () => resolve(''))
    socket.once('close', () => resolve(''))
    socket.setTimeout(2_000, () => resolve(''))
    socket.write('e')
  })
  socket.destroy()
  if (got === 'e') return null
  return got === '' ? 'no echo' : `${JSON.stringify(got)} for an echo`
}
