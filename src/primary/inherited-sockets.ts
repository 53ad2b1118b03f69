/** Listening sockets that somebody else has opened for this process: systemd, or the weir whose successor it is. */
import ipaddr from 'ipaddr.js'
import type { BindAddress } from '../shared/config/model.ts'

/** systemd's first one; sd_listen_fds(3). */
const firstFd = 3

export type SocketAddress = { host: string; port: number } | { path: string }

/** A socket as one weir hands it to the next. */
export interface HandedSocket {
  fd: number
  /** The address as the config writes it, one port of a range: `127.0.0.1:0` finds its socket again, too. */
  bind: string
  /** Who made it, and so removes its file at the end. */
  owner: SocketOwner
}

export type SocketOwner = 'weir' | 'systemd'

export interface InheritedSocket {
  fd: number
  address: SocketAddress
  owner: SocketOwner
  /** What systemd calls it; '' when it came from a weir. */
  name: string
  /** What it was opened for; null when that is known only from its address. */
  bind: string | null
}

/** Where the socket listens; null for what is no listening stream socket. */
export type AddressOf = (fd: number) => SocketAddress | null

type Environment = Record<string, string | undefined>

/**
 * The sockets that systemd has passed to this process: sd_listen_fds_with_names(3). The variables are removed, so that no child takes
 * them for its own; none are taken when they are meant for another process.
 */
export function inheritedSockets(env: Environment, pid: number, addressOf: AddressOf): InheritedSocket[] {
  const { LISTEN_FDS: count = '', LISTEN_PID: of = '', LISTEN_FDNAMES: names = '' } = env
  for (const name of ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']) delete env[name]
  if (of !== String(pid) || !/^\d{1,5}$/.test(count)) return []
  const named = names.split(':')
  return Array.from({ length: Number(count) }, (_, index) => firstFd + index).flatMap((fd, index) => {
    const address = addressOf(fd)
    return address === null ? [] : [{ fd, address, owner: 'systemd' as const, name: named[index] ?? '', bind: null }]
  })
}

/** The sockets that the weir before this one has handed over. */
export function handedSockets(sockets: readonly HandedSocket[], addressOf: AddressOf): InheritedSocket[] {
  return sockets.flatMap(({ fd, bind, owner }) => {
    const address = addressOf(fd)
    return address === null ? [] : [{ fd, address, owner, name: '', bind }]
  })
}

/** Inherited sockets that wait for the listener whose they are. Each is given once. */
export class InheritedSockets {
  #left: InheritedSocket[]

  constructor(sockets: readonly InheritedSocket[] = []) {
    this.#left = [...sockets]
  }

  /** The socket of an address (one port, not a range); null when it has to be opened. Its port is 0 for a unix socket. */
  take(bind: BindAddress): { fd: number; port: number; owner: SocketOwner } | null {
    const found = this.#left.find((socket) => socket.bind === bind.text) ?? this.#left.find((socket) => isSame(bind, socket.address))
    if (!found) return null
    this.#left = this.#left.filter((socket) => socket !== found)
    const { fd, address, owner } = found
    return { fd, port: 'port' in address ? address.port : 0, owner }
  }

  /** Closes those that nobody has taken: held open, they would take connections that nobody accepts. */
  closeRest(close: (fd: number) => void, log: (line: string) => void): void {
    for (const { fd, address, name, owner } of this.#left) {
      close(fd)
      const origin = owner === 'systemd' ? ` from systemd${name === '' ? '' : ` (${name})`}` : ''
      log(`inherited socket ${textOf(address)}${origin} is closed: no listener has this address`)
    }
    this.#left = []
  }
}

function isSame(bind: BindAddress, address: SocketAddress): boolean {
  if (bind.kind === 'unix') return 'path' in address && address.path === bind.path
  if ('path' in address || bind.port === 0 || address.port !== bind.port) return false
  // systemd opens a plain port as [::], or as 0.0.0.0 where the machine has no IPv6.
  if (bind.host === '') return ['::', '0.0.0.0'].includes(normal(address.host))
  return normal(bind.host) === normal(address.host)
}

/** One spelling for each IP address. */
function normal(host: string): string {
  if (host.toLowerCase() === 'localhost') return '127.0.0.1'
  return ipaddr.isValid(host) ? ipaddr.parse(host).toString() : host.toLowerCase()
}

function textOf(address: SocketAddress): string {
  if ('path' in address) return `unix:${address.path}`
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}
