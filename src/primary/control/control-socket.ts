/** The control socket: a unix socket of the owner alone, with a bounded number of bounded clients. */
import { unlinkSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { Client } from './client.ts'
import { type ControlLimits, controlLimits } from './limits.ts'
import type { Operation } from './operation.ts'
import { type PeerOf, peerWords } from './peer.ts'
import { ControlSocketError, checkPath, type FileIdentity, identityOf, putInPlace, removeOwn, temporaryName } from './socket-file.ts'

/** A crowd that connects at once waits here instead of being turned away with EAGAIN. */
const BACKLOG = 4_096
const MOST_SWEEP_MS = 1_000

export interface ControlSocketOptions {
  /** For the successor of a running primary: replaces its file, whoever answers there. */
  takeOver?: boolean
  /** Who a client is. Without it the audit lines do not say. */
  peerOf?: PeerOf
  limits?: Partial<ControlLimits>
}

export interface ControlSocket {
  readonly path: string
  /** Takes no more clients, removes the file if it is still its own, and lets those that wait have their answers for a moment. */
  close(): Promise<void>
}

/**
 * Listens at `path`. Rejects with ControlSocketError when another process answers there, when there is something that is no socket,
 * or when the path cannot be: nothing is left behind then.
 */
export async function openControlSocket(path: string, operation: Operation, options: ControlSocketOptions = {}): Promise<ControlSocket> {
  checkPath(path)
  const clients = new Clients(operation, options)
  const server = createServer({ allowHalfOpen: true }, (socket) => clients.add(socket))
  // Bound to another name first: the runtime removes the name that it bound when it closes, whosever file that is by then.
  const temporary = temporaryName(path)
  try {
    await listenAsOwner(server, temporary)
    await putInPlace(temporary, path, options.takeOver === true)
  } catch (error) {
    server.close()
    removeFile(temporary)
    throw error instanceof ControlSocketError ? error : new ControlSocketError(openFailure(path, error as NodeJS.ErrnoException))
  }
  // Too few descriptors for a moment are no reason to end: a later client gets one.
  server.on('error', (error) => operation.log(`control: ${error.message}`))
  const own = identityOf(path) as FileIdentity
  return { path, close: () => clients.close(server, () => removeOwn(path, own)) }
}

/** The clients that are connected, the longest there first. */
class Clients {
  readonly #operation: Operation
  readonly #peerOf: PeerOf | undefined
  readonly #limits: ControlLimits
  readonly #clients = new Set<Client>()
  readonly #sweeper: NodeJS.Timeout

  constructor(operation: Operation, { peerOf, limits }: ControlSocketOptions) {
    this.#operation = operation
    this.#peerOf = peerOf
    this.#limits = { ...controlLimits, ...limits }
    const { lineMs, idleMs, unreadMs } = this.#limits
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(MOST_SWEEP_MS, lineMs, idleMs, unreadMs))
    this.#sweeper.unref()
  }

  add(socket: Socket): void {
    const client = new Client(socket, { operation: this.#operation, limits: this.#limits, who: peerWords(socket, this.#peerOf) })
    if (this.#clients.size >= this.#limits.clients && !this.#makeRoom()) {
      client.refuse(`too many clients: ${this.#clients.size} are connected and wait for answers; try again later`)
      return
    }
    this.#clients.add(client)
    socket.once('close', () => this.#clients.delete(client))
  }

  async close(server: Server, removeOwnFile: () => void): Promise<void> {
    clearInterval(this.#sweeper)
    removeOwnFile()
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const client of this.#clients) client.leave()
    const late = setTimeout(() => {
      for (const client of this.#clients) client.destroy()
    }, this.#limits.closeMs)
    await closed
    clearTimeout(late)
  }

  /** The one that has been quiet for longest goes, so that no number of idle clients locks the operator out. */
  #makeRoom(): boolean {
    let quietest: Client | undefined
    for (const client of this.#clients)
      if (!client.isBusy && (quietest === undefined || client.quietSince < quietest.quietSince)) quietest = client
    if (quietest === undefined) return false
    this.#clients.delete(quietest)
    quietest.refuse(`closed in favour of a new client: more than ${this.#limits.clients} are connected`)
    return true
  }

  #sweep(): void {
    const now = performance.now()
    for (const client of this.#clients) client.sweep(now)
  }
}

/** The file is its owner's from the moment it is made: a mode that is set afterwards would leave a gap for others to connect. */
function listenAsOwner(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const mask = process.umask(0o177)
    try {
      // Binds before it returns. Another thread that makes a file meanwhile gets one with fewer permissions, not with more.
      server.listen({ path, backlog: BACKLOG }, () => {
        server.off('error', reject)
        resolve()
      })
    } finally {
      process.umask(mask)
    }
  })
}

function openFailure(path: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return `this user may not make the control socket ${path}: set control.socket to a path in a folder of its own`
  return `the control socket ${path} cannot be opened: ${message}`
}

function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It has its other name by now, or was never made.
  }
}
