import { type Config, type ListenerConfig, speaksHttp } from '../shared/config/model.ts'
import { parseTlvType } from '../shared/config/tlv-types.ts'

/** What was asked for cannot be, or names a listener that does not exist: exit code 2. */
export class BadQuestion extends Error {}

export interface WantedListener {
  /** Undefined for the one that is bound to the port, else the first of the protocol. */
  name: string | undefined
  /** As it is asked for; where no listener speaks exactly this, one for the same kind of traffic is meant. */
  protocol: ListenerConfig['protocol']
  port: number | undefined
}

/** Throws BadQuestion. */
export function listenerFor(config: Config, { name, protocol, port }: WantedListener): ListenerConfig {
  const alike = config.listeners.filter((listener) => isAlike(listener, protocol))
  const listeners = [...alike.filter((listener) => listener.protocol === protocol), ...alike]
  const named = config.listeners.find((listener) => listener.name === name)
  if (named !== undefined && !isAlike(named, protocol)) throw new BadQuestion(otherProtocol(named))
  const wanted = name === undefined ? (listeners.find((listener) => isBoundTo(listener, port)) ?? listeners[0]) : named
  if (wanted !== undefined) return wanted
  const known = config.listeners.map((listener) => `${listener.name} (${listener.protocol})`).join(', ') || 'none'
  throw new BadQuestion(`no listener ${name ?? `with protocol ${protocol}`}; there are: ${known}`)
}

/** The local port that a client sees: the one asked for where the listener has it, else the listener's first. */
export function localPortOf(listener: ListenerConfig, port: number | undefined): number {
  const first = boundPort(listener)
  return port !== undefined && (first === undefined || isBoundTo(listener, port)) ? port : (first ?? 0)
}

/** The first TCP port; undefined for a listener on unix sockets only. */
export function boundPort(listener: ListenerConfig): number | undefined {
  return listener.bind.find((bind) => bind.kind === 'tcp')?.port
}

/** TLVs of a PROXY header by their type, each written `type=value`. Throws BadQuestion. */
export function readTlvs(texts: readonly string[]): Map<number, string> {
  const tlvs = new Map<number, string>()
  for (const text of texts) {
    const equals = text.indexOf('=')
    const type = parseTlvType(text.slice(0, Math.max(equals, 0)))
    if (!type.ok) throw new BadQuestion(`not a TLV, expected type=value, such as authority=example.com: ${text}`)
    if (!tlvs.has(Number(type.value))) tlvs.set(Number(type.value), text.slice(equals + 1))
  }
  return tlvs
}

function isBoundTo(listener: ListenerConfig, port: number | undefined): boolean {
  return port !== undefined && listener.bind.some((bind) => bind.kind === 'tcp' && port >= bind.port && port <= bind.lastPort)
}

/** Requests are requests, and TLS comes to where it is passed on and to where it is ended. */
function isAlike(listener: ListenerConfig, protocol: ListenerConfig['protocol']): boolean {
  if (speaksHttp(protocol)) return speaksHttp(listener.protocol)
  return listener.protocol === protocol || (protocol === 'tls' && listener.protocol === 'tcp' && listener.tls !== null)
}

function otherProtocol({ name, protocol }: ListenerConfig): string {
  const how = speaksHttp(protocol) ? 'weir explain GET http://host/path' : `weir explain connect ${protocol}://host:port`
  return `the listener ${name} has protocol ${protocol}; ask: ${how}`
}
