/** What the suite knows about a proxy that it compares. */
import { createServer } from 'node:net'
import { processTree } from '../lib/cpu.ts'
import { type Child, collect, isRunning, removeDirectory, start, stop } from '../lib/processes.ts'

export interface PeerKind {
  name: string
  start(options: PeerOptions): Promise<RunningPeer>
}

export interface PeerOptions {
  core: number | null
  /** `host:port` of every server. */
  servers: string[]
  /** Routes `/r/0/` to `/r/N-1/` beside the one that matches everything; all lead to the same servers. */
  routes: number
  /** What is sent through it. Buffer sizes that are best for large bodies cost small ones cache, so peers may have one for each. */
  bodies: 'small' | 'large'
}

export interface RunningPeer {
  port: number
  /** Every process of the peer as of now. */
  pids(): number[]
  stop(): Promise<void>
}

/** Starts the program and waits until it answers with 200. Its directory is removed when it is stopped. */
export async function startPeer(core: number | null, port: number, directory: string, command: string[]): Promise<RunningPeer> {
  const [program, ...words] = command
  const child = start(core, program ?? '', words)
  const said = [collect(child.stdout), collect(child.stderr)]
  const stopAll = async (): Promise<void> => {
    await stop(child)
    removeDirectory(directory)
  }
  try {
    await answering(child, port)
  } catch (cause) {
    await stopAll()
    throw new Error(`${command.join(' ')}: ${said.map((part) => part.text.trim()).join('\n')}`, { cause })
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

async function answering(child: Child, port: number): Promise<void> {
  const deadline = Date.now() + 20_000
  let status = 'no answer'
  while (Date.now() < deadline && isRunning(child)) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2_000), headers: { connection: 'close' } })
      await response.arrayBuffer()
      if (response.status === 200) return
      status = `status ${response.status}`
    } catch {
      status = 'no answer'
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(isRunning(child) ? `${status} after 20 s` : 'ended at once')
}
