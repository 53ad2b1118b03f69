import type { Addon } from '../native/contract.ts'
import type { BindAddress, ListenerConfig } from '../shared/config/model.ts'
import { portRangeText } from '../shared/config/port-range.ts'
import type { ListeningSockets } from '../shared/ipc/protocol.ts'

const BACKLOG = 4096

/** A listening socket cannot be opened; the message is one sentence for people. */
export class ListenError extends Error {}

export interface OpenSockets {
  /** Descriptors in this process, in the order in which workers inherit them. */
  fds: number[]
  /** The same sockets as a worker finds them, by listener. */
  byListener: ListeningSockets[]
  /** Where each address listens, for people: `http://127.0.0.1:8080 (web)`; a range of ports is one line. */
  texts: string[]
  /** Socket files to remove at the end. */
  paths: string[]
}

/** What opens and closes sockets. */
type Opener = Pick<Addon, 'openListener' | 'closeFd'>

/**
 * Opens every port of every address of every listener, or none; workers find the first one at `firstFd`. Throws ListenError after
 * it has closed what it had opened.
 */
export function openListeningSockets(addon: Opener, listeners: readonly ListenerConfig[], firstFd: number): OpenSockets {
  const open: OpenSockets = { fds: [], byListener: [], texts: [], paths: [] }
  try {
    for (const listener of listeners) open.byListener.push(openListener(addon, listener, open, firstFd))
  } catch (error) {
    for (const fd of open.fds) addon.closeFd(fd)
    throw error
  }
  return open
}

function openListener(addon: Opener, listener: ListenerConfig, open: OpenSockets, firstFd: number): ListeningSockets {
  const sockets: ListeningSockets = { fds: [], ports: [], port: '' }
  for (const bind of listener.bind) {
    const first = sockets.ports.length
    for (const one of eachSocket(bind)) {
      const { fd, port } = openAddress(addon, one)
      sockets.fds.push(firstFd + open.fds.length)
      sockets.ports.push(bind.kind === 'unix' ? 0 : port)
      open.fds.push(fd)
    }
    if (bind.kind === 'unix') open.paths.push(bind.path)
    open.texts.push(`${textOf(bind, listener.protocol, sockets.ports.slice(first))} (${listener.name})`)
  }
  return { ...sockets, port: String(sockets.ports.find((port) => port > 0) ?? '') }
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
