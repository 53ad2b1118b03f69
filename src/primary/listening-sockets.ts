import { unlinkSync } from 'node:fs'
import type { Addon } from '../native/contract.ts'
import type { BindAddress, ListenerConfig } from '../shared/config/model.ts'
import { portRangeText } from '../shared/config/port-range.ts'
import type { ListeningSockets } from '../shared/ipc/protocol.ts'
import type { HandedSocket, SocketOwner } from './inherited-sockets.ts'

const BACKLOG = 4096

/** A listening socket cannot be opened; the message is one sentence for people. */
export class ListenError extends Error {}

/** What opens and closes sockets. */
export type Opener = Pick<Addon, 'openListener' | 'closeFd'>

export interface ListenersOptions {
  addon: Opener
  /** Rows that the board has for listeners. */
  rows: number
  /** Open connections of a row. */
  connections(slot: number): number
  /** A socket that somebody else has bound to this address and left to us, with its port; null when there is none. */
  inherit?(bind: BindAddress): { fd: number; port: number; owner: SocketOwner } | null
}

interface OpenSocket {
  fd: number
  port: number
  /** As the config writes it, one port of a range. */
  bind: string
  owner: SocketOwner
  /** Of a unix socket. */
  path: string | null
}

/** One listener with its open sockets. */
export interface OpenListener extends ListeningSockets {
  name: string
  /** Where it listens, for people: `http://127.0.0.1:8080`; a range of ports is one text. */
  addresses: string[]
}

/**
 * The listening sockets of the primary, by key: the address, or the listener's name with it where the system chooses the port. A
 * socket that a later config still names stays open, so that no connection that waits in it is lost.
 */
export class Listeners {
  readonly #options: ListenersOptions
  #open = new Map<string, OpenSocket>()
  #slots = new Map<string, number>()
  #listeners: OpenListener[] = []

  constructor(options: ListenersOptions) {
    this.#options = options
  }

  get listeners(): readonly OpenListener[] {
    return this.#listeners
  }

  /** Descriptors in this process by key. */
  get fds(): ReadonlyMap<string, number> {
    return new Map([...this.#open].map(([key, { fd }]) => [key, fd]))
  }

  /** For a successor. */
  handed(): HandedSocket[] {
    return [...this.#open.values()].map(({ fd, bind, owner }) => ({ fd, bind, owner }))
  }

  /** Opens what these listeners need beside what is open. Throws ListenError, with all as it was, when that cannot be. */
  prepare(configs: readonly ListenerConfig[]): OpenListener[] {
    const before = new Set(this.#open.keys())
    try {
      const slots = this.#slotsFor(configs)
      const claimed = new Set<string>()
      return configs.map((config) => this.#prepareOne(config, slots.get(identityOf(config)) as number, claimed))
    } catch (error) {
      this.#closeUnless((key) => before.has(key))
      throw error
    }
  }

  /** These are in force now: what they do not need is closed. To be called when the workers have it. */
  commit(listeners: OpenListener[], configs: readonly ListenerConfig[]): void {
    const wanted = new Set(listeners.flatMap(({ keys }) => keys))
    this.#slots = new Map(configs.map((config, i) => [identityOf(config), (listeners[i] as OpenListener).slot]))
    this.#listeners = listeners
    this.#closeUnless((key) => wanted.has(key))
  }

  /** What was prepared will not be. */
  rollback(): void {
    const wanted = new Set(this.#listeners.flatMap(({ keys }) => keys))
    this.#closeUnless((key) => wanted.has(key))
  }

  /** `isSucceeded`: another process listens on the same sockets now, so their files stay. */
  close(isSucceeded: boolean): void {
    if (isSucceeded) for (const socket of this.#open.values()) socket.path = null
    this.#closeUnless(() => false)
  }

  #prepareOne(config: ListenerConfig, slot: number, claimed: Set<string>): OpenListener {
    const made: OpenListener = { name: config.name, slot, keys: [], ports: [], port: '', addresses: [] }
    for (const bind of config.bind) {
      const first = made.ports.length
      for (const one of eachSocket(bind)) {
        const key = keyOf(config, one, made.keys.length)
        if (claimed.has(key)) throw new ListenError(`${one.text} is named twice: each address can belong to one listener only`)
        claimed.add(key)
        const socket = this.#open.get(key) ?? this.#openSocket(one)
        this.#open.set(key, socket)
        made.keys.push(key)
        made.ports.push(socket.port)
      }
      made.addresses.push(textOf(bind, config.protocol, made.ports.slice(first)))
    }
    return { ...made, port: String(made.ports.find((port) => port > 0) ?? '') }
  }

  #openSocket(bind: BindAddress): OpenSocket {
    const { addon, inherit } = this.#options
    const { fd, port, owner } = inherit?.(bind) ?? { ...openAddress(addon, bind), owner: 'weir' }
    return { fd, port: bind.kind === 'unix' ? 0 : port, bind: bind.text, owner, path: bind.kind === 'unix' ? bind.path : null }
  }

  /** A listener keeps its row; a new one gets one that nobody is connected to. */
  #slotsFor(configs: readonly ListenerConfig[]): Map<string, number> {
    const { rows, connections } = this.#options
    const slots = new Map<string, number>()
    for (const config of configs) {
      const known = this.#slots.get(identityOf(config))
      if (known !== undefined) slots.set(identityOf(config), known)
    }
    const taken = new Set([...slots.values(), ...this.#slots.values()])
    let next = 0
    for (const config of configs) {
      if (slots.has(identityOf(config))) continue
      while (next < rows && (taken.has(next) || connections(next) > 0)) next++
      if (next >= rows) throw new ListenError(`the configuration has ${configs.length} listeners; at most ${rows} are possible`)
      slots.set(identityOf(config), next++)
    }
    return slots
  }

  #closeUnless(isWanted: (key: string) => boolean): void {
    for (const [key, { fd, path, owner }] of this.#open) {
      if (isWanted(key)) continue
      this.#options.addon.closeFd(fd)
      if (path !== null && owner === 'weir') removeFile(path)
      this.#open.delete(key)
    }
  }
}

/** With another protocol it is another listener, and connections of the old one finish as they began. */
function identityOf({ name, protocol }: ListenerConfig): string {
  return `${protocol} ${name}`
}

function keyOf({ name }: ListenerConfig, bind: BindAddress, index: number): string {
  return bind.kind === 'tcp' && bind.port === 0 ? `${name} ${index} ${bind.text}` : bind.text
}

function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It is gone already.
  }
}

/** The address itself, or one for each port of a range. */
function eachSocket(bind: BindAddress): BindAddress[] {
  if (bind.kind === 'unix' || bind.lastPort === bind.port) return [bind]
  const host = bind.text.slice(0, bind.text.lastIndexOf(':'))
  return Array.from({ length: bind.lastPort - bind.port + 1 }, (_, index) => {
    const port = bind.port + index
    return { ...bind, port, lastPort: port, text: `${host}:${port}` }
  })
}

function openAddress(addon: Opener, bind: BindAddress): { fd: number; port: number } {
  try {
    return addon.openListener(bind.kind === 'unix' ? { path: bind.path } : { host: numericHost(bind.host), port: bind.port }, BACKLOG)
  } catch (error) {
    throw new ListenError(explain(bind.text, error as NodeJS.ErrnoException))
  }
}

function numericHost(host: string): string {
  return host === 'localhost' ? '127.0.0.1' : host
}

function textOf(bind: BindAddress, protocol: ListenerConfig['protocol'], ports: number[]): string {
  if (bind.kind === 'unix') return `unix:${bind.path}`
  const host = bind.host === '' ? '*' : bind.host.includes(':') ? `[${bind.host}]` : bind.host
  const range = { first: ports[0] ?? bind.port, last: ports.at(-1) ?? bind.lastPort }
  return `${protocol}://${host}:${portRangeText(range)}`
}

function explain(address: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `${address} is in use by another process: stop it, or choose another address`
    case 'EACCES':
      return `no permission to listen on ${address}: ports below 1024 need root or the capability CAP_NET_BIND_SERVICE`
    case 'EADDRNOTAVAIL':
      return `${address} is not an address of this machine`
    case 'EMFILE':
    case 'ENFILE':
      return `too few file descriptors to listen on ${address}: raise the limit (ulimit -n)`
    default:
      return `cannot listen on ${address}: ${error.message}`
  }
}
