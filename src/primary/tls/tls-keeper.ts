/** Certificates, keys and what else TLS needs: read here, kept up to date, and handed to workers in memory only. */
import type { TlsCertificate } from '../../native/contract.ts'
import type { Config, ListenerConfig } from '../../shared/config/model.ts'
import type { ListenerTls, UpstreamTls } from '../../shared/config/tls-model.ts'
import type { CommonTls, ServerTls, TlsMaterial } from '../../shared/ipc/tls-material.ts'
import type { CertificatePair } from '../../shared/tls/certificate-pair.ts'
import { stateOf } from '../../shared/tls/certificate-state.ts'
import { knownIssuers } from '../../shared/tls/system-authorities.ts'
import type { OcspStaples } from './certificate-source.ts'
import { authoritiesKey, fileValues, pairKey } from './file-values.ts'
import { FileWatch } from './file-watch.ts'
import { KeptFiles, type PreparedFiles } from './kept-files.ts'
import { listenerOptions } from './listener-options.ts'
import { serverOptions } from './server-options.ts'
import { type PreparedSources, realSources, SourceBook, type SourceFactories } from './source-book.ts'
import { TicketKeys, type TicketKeysState } from './ticket-keys.ts'

export interface TlsKeeperOptions {
  /** In force, with the servers that were discovered and added. */
  config(): Config
  /** Something changed without a change of the config. */
  changed(): void
  log(line: string): void
  /** Of the weir before this one; see TicketKeys. */
  ticketKeys?: unknown
  sources?: SourceFactories
  /** Made when a certificate wants one. */
  ocsp?(events: { changed(): void; log(line: string): void }): Promise<OcspStaples>
}

/** What a config needs, read and found good, and not yet in force. */
export interface TlsProposal {
  files: PreparedFiles
  sources: PreparedSources
  ocsp: OcspStaples | null
}

/** When a certificate of a listener ends. */
export interface CertificateEnd {
  listener: string
  name: string
  notAfterMs: number
}

/** How often ticket keys and the ends of certificates are looked at. */
const LOOK_MS = 60_000
/** Texts of authorities are long. */
const mostCommons = 1_000
/** Sources change several things at once. */
const TOLD_AFTER_MS = 20

const realOcsp: NonNullable<TlsKeeperOptions['ocsp']> = async (events) => (await import('./ocsp/ocsp-staples.ts')).ocspStaples(events)

export class TlsKeeper {
  readonly #options: TlsKeeperOptions
  readonly #files = new KeptFiles()
  readonly #watch = new FileWatch(() => this.#look())
  readonly #sources: SourceBook
  readonly #tickets: TicketKeys
  #inForce: TlsProposal = { files: new Map(), sources: new Map(), ocsp: null }
  #revision = 0
  #material: { of: Config; from: TlsProposal; revision: number; is: TlsMaterial } | undefined
  /** Sentences about certificates that were said, by day. */
  #said = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #soon: NodeJS.Timeout | undefined
  readonly #isKnown = knownIssuers()
  /** By digest. What was in use long ago is forgotten with the files: see `commit`. */
  #commons = new Map<string, CommonTls>()

  constructor(options: TlsKeeperOptions) {
    this.#options = options
    this.#tickets = new TicketKeys(Date.now(), options.ticketKeys ?? null)
    this.#sources = new SourceBook(options.sources ?? realSources, this.#events())
  }

  /** Grows with each change that workers have to hear of. */
  get revision(): number {
    return this.#revision
  }

  /** Reads all that a config needs; nothing is in force yet. Throws an Error that names the file and says what is wrong with it. */
  async prepare(config: Config): Promise<TlsProposal> {
    const files = this.#files.prepare(fileValues(config))
    const sources = await this.#sources.prepare(config)
    const wantsOcsp = config.listeners.some(({ tls }) => tls?.certificates.some(({ ocsp }) => ocsp === 'fetch') === true)
    const ocsp = wantsOcsp ? (this.#inForce.ocsp ?? (await (this.#options.ocsp ?? realOcsp)(this.#events()))) : null
    const proposal = { files, sources, ocsp }
    try {
      this.#build(config, proposal)
    } catch (error) {
      this.rollback(proposal)
      throw error
    }
    return proposal
  }

  /** It is in force with its config from now on. */
  commit(proposal: TlsProposal): void {
    const before = this.#inForce
    this.#inForce = proposal
    if (this.#commons.size > mostCommons) this.#commons = new Map()
    this.#files.commit(proposal.files)
    this.#sources.commit(proposal.sources)
    if (before.ocsp !== proposal.ocsp) before.ocsp?.close()
    if (this.#timer !== undefined) {
      if (before.ocsp !== proposal.ocsp) proposal.ocsp?.start()
      this.#follow()
      // What changed since it was read.
      this.#watch.soon()
    }
  }

  rollback(proposal: TlsProposal): void {
    this.#sources.rollback(proposal.sources)
    if (proposal.ocsp !== this.#inForce.ocsp) proposal.ocsp?.close()
  }

  /** Begins to watch files, to renew, to rotate. */
  start(): void {
    this.#timer ??= setInterval(() => this.#tick(), LOOK_MS).unref()
    this.#watch.start()
    this.#sources.start()
    this.#inForce.ocsp?.start()
    this.#follow()
  }

  stop(): void {
    clearInterval(this.#timer)
    clearTimeout(this.#soon)
    this.#watch.stop()
    this.#sources.close()
    this.#inForce.ocsp?.close()
  }

  /** For workers, with a config in force or, with a proposal, one that is to be. The same object while nothing changed. */
  material(config: Config, proposal: TlsProposal = this.#inForce): TlsMaterial {
    const known = this.#material
    if (known !== undefined && known.of === config && known.from === proposal && known.revision === this.#revision) return known.is
    const is = this.#build(config, proposal)
    this.#material = { of: config, from: proposal, revision: this.#revision, is }
    return is
  }

  /** How TLS is spoken to a server, `upstream/server`; null: it is not, or there is no such server. */
  serverTls(id: string): ServerTls | null {
    return this.material(this.#options.config()).servers[id] ?? null
  }

  /** Per name of each listener; the certificate that ends first counts. */
  ends(): CertificateEnd[] {
    return this.#options.config().listeners.flatMap((listener) => {
      if (listener.tls === null) return []
      const ends = new Map<string, number>()
      for (const { facts } of this.#pairsOf(listener.tls, this.#inForce)) {
        for (const name of facts.dns.length + facts.ips.length === 0 ? [''] : [...facts.dns, ...facts.ips])
          ends.set(name, Math.min(ends.get(name) ?? Number.POSITIVE_INFINITY, facts.notAfterMs))
      }
      return [...ends].map(([name, notAfterMs]) => ({ listener: listener.name, name, notAfterMs }))
    })
  }

  /** For a successor: over a channel of its own, never into a file or a log. */
  handedTicketKeys(): TicketKeysState {
    return this.#tickets.state()
  }

  #build({ listeners, upstreams }: Config, proposal: TlsProposal): TlsMaterial {
    const ofListeners = listeners.flatMap((listener) => {
      return listener.tls === null ? [] : [[listener.name, this.#listener(listener, listener.tls, proposal)] as const]
    })
    const ofServers = upstreams.flatMap((upstream) => {
      return upstream.tls === null
        ? []
        : serverOptions(upstream, upstream.tls, this.#upstreamMaterial(upstream.tls, proposal), this.#commons)
    })
    return {
      listeners: Object.fromEntries(ofListeners),
      servers: Object.fromEntries(ofServers),
      ticketKeys: [...this.#tickets.keys],
      challenges: this.#sources.tokens(proposal.sources),
    }
  }

  #listener(listener: ListenerConfig, tls: ListenerTls, proposal: TlsProposal): TlsMaterial['listeners'][string] {
    const challenges = tls.acme === null ? [] : this.#sources.challengesOf(tls.acme, proposal.sources)
    const clientCa = tls.clientAuth === null ? '' : (proposal.files.get(authoritiesKey(tls.clientAuth.ca))?.value as string)
    return listenerOptions(listener, tls, { members: this.#pairsOf(tls, proposal), clientCa, challenges })
  }

  #upstreamMaterial({ verify, ca, certificate }: UpstreamTls, { files }: TlsProposal) {
    const pair = certificate === null ? undefined : (files.get(pairKey(certificate))?.value as CertificatePair | undefined)
    return {
      ca: verify ? (files.get(authoritiesKey(ca))?.value as string) : '',
      certificate: pair?.certificate ?? null,
    }
  }

  /** Certificates of a listener, those of files first; where there is none at all, what stands in for one. */
  #pairsOf(tls: ListenerTls, proposal: TlsProposal): CertificatePair[] {
    const { acme, internal } = tls
    const { sources } = proposal
    const real = [
      ...this.#filePairs(tls, proposal),
      ...(acme === null ? [] : this.#sources.pairsOf('acme', acme, sources)),
      ...(internal === null ? [] : this.#sources.pairsOf('internal', internal, sources)),
    ]
    if (real.length > 0) return real
    return [
      ...(acme === null ? [] : this.#sources.placeholderOf('acme', acme, sources)),
      ...(acme !== null || internal === null ? [] : this.#sources.placeholderOf('internal', internal, sources)),
    ]
  }

  #filePairs({ certificates }: ListenerTls, { files, ocsp: staples }: TlsProposal): CertificatePair[] {
    return certificates.flatMap((one) => {
      const pair = files.get(pairKey(one))?.value as CertificatePair | undefined
      if (pair === undefined) return []
      const ocsp = one.ocsp === 'fetch' ? (staples?.stapleFor(pair.certificate) ?? null) : pair.certificate.ocsp
      return [{ ...pair, certificate: { ...pair.certificate, ocsp } }]
    })
  }

  #look(): void {
    this.#files.look(Date.now(), {
      changed: (keys) => {
        this.#told(keys)
        this.#follow()
        this.#change()
      },
      refused: (message) => this.#options.log(`${message}; what was read before stays in force`),
      again: (ms) => this.#watch.soon(ms),
    })
  }

  /** Watches the files in force, and asks for responses about their certificates. */
  #follow(): void {
    this.#watch.watch(this.#files.files)
    this.#inForce.ocsp?.watch(this.#fetched())
    this.#judge()
  }

  #fetched(): TlsCertificate[] {
    const wanted = this.#options.config().listeners.flatMap(({ tls }) => tls?.certificates.filter(({ ocsp }) => ocsp === 'fetch') ?? [])
    return wanted.flatMap((one) => (this.#inForce.files.get(pairKey(one))?.value as CertificatePair | undefined)?.certificate ?? [])
  }

  #tick(): void {
    if (this.#tickets.rotate(Date.now())) this.#change()
    this.#judge()
  }

  /** What people should know of certificates, once a day. */
  #judge(): void {
    const now = Date.now()
    const today = new Date(now).toISOString().slice(0, 10)
    const said = new Set([...this.#said].filter((text) => text.startsWith(today)))
    for (const { tls } of this.#options.config().listeners) {
      for (const files of tls?.certificates ?? []) {
        const pair = this.#inForce.files.get(pairKey(files))?.value as CertificatePair | undefined
        if (pair === undefined) continue
        const { problem, warnings } = stateOf(pair, now, this.#isKnown)
        for (const text of problem === null ? warnings : [problem]) {
          if (!said.has(`${today} ${files.cert} ${text}`)) this.#options.log(`${files.cert}: ${text}`)
          said.add(`${today} ${files.cert} ${text}`)
        }
      }
    }
    this.#said = said
  }

  #told(keys: readonly string[]): void {
    const files = keys.flatMap((key) => this.#inForce.files.get(key)?.of.files.slice(0, 1) ?? [])
    this.#options.log(`${[...new Set(files)].join(', ')}: changed, in force for new handshakes`)
  }

  #events() {
    return {
      changed: () => {
        this.#soon ??= setTimeout(() => {
          this.#soon = undefined
          this.#change()
        }, TOLD_AFTER_MS).unref()
      },
      log: (line: string) => this.#options.log(line),
    }
  }

  #change(): void {
    this.#revision++
    this.#options.changed()
  }
}
