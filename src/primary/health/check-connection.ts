/** A connection for HTTP checks, and those that wait for the next one. */
import { connect, type Socket } from 'node:net'
import type { ResolvedAddress } from '../../shared/ipc/protocol.ts'
import type { ServerTls } from '../../shared/ipc/tls-material.ts'
import { secured } from './check-tls.ts'
import { destinationOf } from './probe.ts'

/** Whoever uses a connection. `bytes` are borrowed for the length of the call. */
export interface ConnectionUser {
  took(bytes: Buffer): void
  /** It ended, with an error or without; nothing follows. */
  lost(error: NodeJS.ErrnoException | null): void
}

/** All connections read into one buffer: what is read is used up before anything else is read. */
const readBuffer = Buffer.allocUnsafeSlow(65_536)

/** Where a connection goes, and what it begins with. */
export interface ConnectionPlan {
  address: ResolvedAddress
  /** Sent first, before TLS; null: nothing. */
  greeting: Buffer | null
  /** null: in plain. */
  tls: ServerTls | null
}

/** Owns a socket. Its listeners stay for its life, so that a check adds none. */
export class CheckConnection {
  readonly #raw: Socket
  /** Of the two, what requests are written to; null while TLS is on its way. */
  #socket: Socket | null
  #secured: Socket | null = null
  /** What is written once the server has shown who it is; without TLS, what leaves together with the request. */
  #waiting: Buffer[] = []
  #user: ConnectionUser | null
  #isUsed = false

  constructor({ address, greeting, tls }: ConnectionPlan, user: ConnectionUser) {
    this.#user = user
    const onread = { buffer: readBuffer, callback: (count: number) => this.#take(readBuffer.subarray(0, count)) }
    const plain = { ...destinationOf(address), noDelay: true }
    this.#raw = connect(tls === null ? { ...plain, onread } : plain)
    this.#socket = tls === null ? this.#raw : null
    this.#raw.on('error', (error) => this.#lose(error))
    this.#raw.on('close', () => this.#lose(null))
    if (tls === null) {
      if (greeting !== null) this.#waiting.push(greeting)
      this.#raw.on('end', () => this.#lose(null))
      return
    }
    if (greeting !== null) this.#raw.write(greeting)
    this.#raw.once('connect', () => this.#secure(tls))
  }

  get isConnecting(): boolean {
    return this.#raw.connecting
  }

  /** Its server has not shown yet who it is. */
  get isSecuring(): boolean {
    return this.#socket === null
  }

  /** It has carried a check before. */
  get isReused(): boolean {
    return this.#isUsed
  }

  get isLost(): boolean {
    return this.#raw.destroyed
  }

  write(bytes: Buffer): void {
    this.#waiting.push(bytes)
    if (this.#socket === null) return
    this.#socket.write(this.#waiting.length === 1 ? bytes : Buffer.concat(this.#waiting))
    this.#waiting = []
  }

  /** For the next user; it must be idle. */
  lend(user: ConnectionUser): void {
    this.#user = user
    this.#raw.ref()
  }

  /** Nobody uses it. What comes meanwhile, if only the end, closes it. */
  rest(): void {
    this.#user = null
    this.#isUsed = true
    this.#raw.unref()
  }

  destroy(): void {
    this.#user = null
    this.#secured?.destroy()
    this.#raw.destroy()
  }

  #secure(tls: ServerTls): void {
    const secure = secured(this.#raw, tls, () => {
      this.#socket = secure
      for (const bytes of this.#waiting) secure.write(bytes)
      this.#waiting = []
    })
    this.#secured = secure
    secure.on('data', (bytes: Buffer) => this.#take(bytes))
    secure.on('end', () => this.#lose(null))
    secure.on('close', () => this.#lose(null))
    secure.on('error', (error) => this.#lose(error))
  }

  #take(bytes: Buffer): boolean {
    if (this.#user === null) this.destroy()
    else this.#user.took(bytes)
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

/** At most one connection for each address and way to speak to it. */
export class RestingConnections {
  readonly #resting = new Map<string, Resting>()
  #sweeper: NodeJS.Timeout | undefined

  /** Takes one out; null when there is none that is worth trying. */
  take(plan: ConnectionPlan, now: number): CheckConnection | null {
    const key = keyOf(plan)
    const resting = this.#resting.get(key)
    if (resting === undefined) return null
    this.#resting.delete(key)
    if (now < resting.untilMs && !resting.connection.isLost) return resting.connection
    resting.connection.destroy()
    return null
  }

  /** Takes it over, for `idleMs` at most. */
  put(plan: ConnectionPlan, connection: CheckConnection, now: number, idleMs: number): void {
    const key = keyOf(plan)
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

/** A connection that was made with other certificates, or without any, is another one. */
function keyOf({ address, tls }: ConnectionPlan): string {
  return `${'path' in address ? address.path : `${address.ip} ${address.port}`} ${tls?.id ?? ''}`
}
