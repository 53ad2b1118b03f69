import { abi } from '../native/abi.ts'
import type { Engine, HeadField } from '../native/contract.ts'
import type { HeadReader } from './route/head-reader.ts'
import type { RedirectSource } from './route/redirect.ts'

const { lent: at } = abi
const methodNames: (string | undefined)[] = []
for (const [name, code] of Object.entries(abi.method)) if (code > 0) methodNames[code] = name

/** The head that is lent to the decision going on now. One object for all of them: it reads where `lent` points. */
export class CurrentHead implements HeadReader {
  readonly #engine: Engine
  readonly #lent: Int32Array

  constructor(engine: Engine) {
    this.#engine = engine
    this.#lent = engine.lent
  }

  get method(): string {
    return methodNames[this.#lent[at.method] as number] ?? this.#field('method')
  }
  get query(): string {
    return (this.#lent[at.flags] as number) & abi.headFlag.hasQuery ? this.#field('query') : ''
  }
  get clientIp(): string {
    return this.#field('clientIp')
  }
  /** Lower case, without port. */
  get host(): string {
    const id = this.#lent[at.host] as number
    if (id >= 0) return this.#engine.hostName(id)
    return this.#field('host').replace(/:\d*$/, '').toLowerCase()
  }
  header(name: string): string | undefined {
    return this.#engine.header(this.#lent[at.index] as number, this.#lent[at.generation] as number, name)
  }
  get localPort(): number {
    return this.#lent[at.localPort] as number
  }
  readonly sni = ''
  readonly alpn: readonly string[] = []
  proxyTlv(type: number): string | undefined {
    return this.#engine.tlv(this.#lent[at.index] as number, this.#lent[at.generation] as number, type)
  }
  forRedirect(path: string): RedirectSource {
    const scheme = (this.#lent[at.flags] as number) & abi.headFlag.tls ? 'https' : 'http'
    return { scheme, host: this.host, port: this.#lent[at.publicPort] as number, path, query: this.query, clientIp: this.clientIp }
  }

  #field(which: HeadField): string {
    return this.#engine.field(this.#lent[at.index] as number, this.#lent[at.generation] as number, which) ?? ''
  }
}
