import type { Request } from '../index-types.ts'
import type { Engine, HeadField } from '../native/contract.ts'
import type { ExchangeId } from './exchange.ts'
import { requireHeader } from './forward/answers.ts'
import { cookieValue, queryParameter } from './route/parameters.ts'

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'host',
  'http2-settings',
  'expect',
])

/** One request as functions of the configuration see it. Reads the lent head on demand; nothing is copied before it is asked for. */
export class RequestView implements Request {
  readonly #engine: Engine
  readonly #id: ExchangeId
  readonly path: string
  readonly host: string

  constructor(engine: Engine, id: ExchangeId, host: string, path: string) {
    this.#engine = engine
    this.#id = id
    this.host = host
    this.path = path
  }

  get method(): string {
    return this.#field('method')
  }
  get query(): string {
    return this.#field('query')
  }
  get clientIp(): string {
    return this.#field('clientIp')
  }
  header(name: string): string | undefined {
    return this.#engine.header(this.#id.index, this.#id.generation, name)
  }
  cookie(name: string): string | undefined {
    const cookies = this.header('cookie')
    return cookies === undefined ? undefined : cookieValue(cookies, name)
  }
  queryParameter(name: string): string | undefined {
    return queryParameter(this.query, name)
  }
  proxyTlv(type: number): string | undefined {
    return this.#engine.tlv(this.#id.index, this.#id.generation, type)
  }
  setHeader(name: string, value: string | null): void {
    if (hopByHop.has(name.toLowerCase())) throw new RangeError(`${name} belongs to the connection and cannot be set`)
    requireHeader(name, value ?? '')
    this.#engine.setHeader(this.#id.index, this.#id.generation, name, value)
  }
  setTarget(target: string): void {
    if (!/^\/[\x21-\x7e]*$/.test(target) || target.includes('#')) throw new RangeError(`${JSON.stringify(target)} is not a request target`)
    this.#engine.setTarget(this.#id.index, this.#id.generation, target)
  }

  #field(which: HeadField): string {
    return this.#engine.field(this.#id.index, this.#id.generation, which) ?? ''
  }
}
