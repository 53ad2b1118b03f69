import type { Connection } from '../index-types.ts'
import { abi } from '../native/abi.ts'
import type { Engine } from '../native/contract.ts'
import type { ExchangeId } from './exchange.ts'
import type { HeadReader } from './route/head-reader.ts'

const { lent: at } = abi
const NONE: readonly string[] = []

/** The connection that is decided on now, as the router reads it. One object for all of them: it reads where `lent` points. */
export class CurrentTunnel implements HeadReader {
  readonly #engine: Engine
  readonly #lent: Int32Array
  #alpn = ''
  sni = ''
  readonly method = ''
  readonly query = ''

  constructor(engine: Engine) {
    this.#engine = engine
    this.#lent = engine.lent
  }

  /** What the ClientHello of this connection says. */
  hello(serverName: string, alpn: string): void {
    this.sni = serverName
    this.#alpn = alpn
  }
  get alpn(): readonly string[] {
    return this.#alpn === '' ? NONE : this.#alpn.split(',')
  }
  get clientIp(): string {
    return this.#engine.tunnelField(this.#lent[at.index] as number, this.#lent[at.generation] as number, 'clientIp') ?? ''
  }
  get localPort(): number {
    return this.#lent[at.localPort] as number
  }
  proxyTlv(type: number): string | undefined {
    return this.#engine.tunnelTlv(this.#lent[at.index] as number, this.#lent[at.generation] as number, type)
  }
  header(): undefined {
    return undefined
  }
}

/** One connection as functions of the configuration see it. */
export class ConnectionView implements Connection {
  readonly #engine: Engine
  readonly #id: ExchangeId
  readonly listener: string
  readonly sni: string
  readonly alpn: readonly string[]
  readonly localPort: number

  constructor(engine: Engine, id: ExchangeId, listener: string, now: CurrentTunnel) {
    this.#engine = engine
    this.#id = id
    this.listener = listener
    this.sni = now.sni
    this.alpn = now.alpn
    this.localPort = now.localPort
  }

  get clientIp(): string {
    return this.#engine.tunnelField(this.#id.index, this.#id.generation, 'clientIp') ?? ''
  }
  get clientPort(): number {
    return this.#engine.tunnelField(this.#id.index, this.#id.generation, 'clientPort') ?? 0
  }
  proxyTlv(type: number): string | undefined {
    return this.#engine.tunnelTlv(this.#id.index, this.#id.generation, type)
  }
}
