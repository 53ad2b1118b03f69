/** A connection for HTTP checks, and those that wait for the next one. */
import { connect, type Socket } from 'node:net'
import type { ResolvedAddress } from '../../shared/ipc/protocol.ts'
import { destinationOf } from './probe.ts'

/** Whoever uses a connection. `bytes` are borrowed for the length of the call. */
export interface ConnectionUser {
  took(bytes: Buffer): void
  /** It ended, with an error or without; nothing follows. */
  lost(error: NodeJS.ErrnoException | null): void
}

/** All connections read into one buffer: what is read is used up before anything else is read. */
const readBuffer = Buffer.allocUnsafeSlow(65_536)

/** Owns a socket. Its listeners stay for its life, so that a check adds none. */
export class CheckConnection {
  readonly #socket: Socket
  #user: ConnectionUser | null
  #isUsed = false

  constructor(address: ResolvedAddress, user: ConnectionUser) {
    this.#user = user
    const onread = { buffer: readBuffer, callback: (count: number) => this.#take(count) }
    this.#socket = connect({ ...destinationOf(address), noDelay: true, onread })
    this.#socket.on('error', (error) => this.#lose(error))
    this.#socket.on('end', () => this.#lose(null))
    this.#socket.on('close', () => this.#lose(null))
  }

  get isConnecting(): boolean {
    return this.#socket.connecting
  }

  /** It has carried a check before. */
  get isReused(): boolean {
    return this.#isUsed
  }

  get isLost(): boolean {
    return this.#socket.destroyed
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** For the next user; it must be idle. */
  lend(user: ConnectionUser): void {
    this.#user = user
    this.#socket.ref()
  }

  /** Nobody uses it. What comes meanwhile, if only the end, closes it. */
  rest(): void {
    this.#user = null
    this.#isUsed = true
    this.#socket.unref()
  }

  destroy(): void {
    this.#user = null
    this.#socket.destroy()
  }

  #take(count: number): boolean {
    if (this.#user === null) this.#socket.destroy()
    else this.#user.took(readBuffer.subarray(0, count))
    return true
  }

  #lose(error: NodeJS.ErrnoException | null): void {
    const user = this.#user
    this.destroy()
    user?.lost(error)
  }
}

interface Resting {
  connection: CheckConnection
  untilMs: number
}

/** How often connections that waited too long are looked for. */
const SWEEP_MS = 5_000

/** At most one connection for each address. */
export class RestingConnections {
  readonly #resting = new Map<string, Resting>()
  #sweeper: NodeJS.Timeout | undefined

  /** Takes one out; null when there is none that is worth trying. */
  take(address: ResolvedAddress, now: number): CheckConnection | null {
    const key = keyOf(address)
    const resting = this.#resting.get(key)
    if (resting === undefined) return null
    this.#resting.delete(key)
    if (now < resting.untilMs && !resting.connection.isLost) return resting.connection
    resting.connection.destroy()
    return null
  }

  /** Takes it over, for `idleMs` at most. */
  put(address: ResolvedAddress, connection: CheckConnection, now: number, idleMs: number): void {
    const key = keyOf(address)
    connection.rest()
    if (this.#resting.has(key)) connection.destroy()
    else this.#resting.set(key, { connection, untilMs: now + idleMs })
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS).unref()
  }

  close(): void {
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
    for (const { connection } of this.#resting.values()) connection.destroy()
    this.#resting.clear()
  }

  #sweep(): void {
    const now = performance.now()
    for (const [key, { connection, untilMs }] of this.#resting) {
      if (now < untilMs && !connection.isLost) continue
      connection.destroy()
      this.#resting.delete(key)
    }
    if (this.#resting.size === 0) this.close()
  }
}

function keyOf(address: ResolvedAddress): string {
  return 'path' in address ? address.path : `${address.ip} ${address.port}`
}
