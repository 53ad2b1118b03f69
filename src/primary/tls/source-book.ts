/** The sources of certificates that a config wants beside its files: one for each `acme` and each `internal`. */
import type { TlsCertificate } from '../../native/contract.ts'
import type { Config } from '../../shared/config/model.ts'
import type { AcmeConfig, InternalCaConfig } from '../../shared/config/tls-model.ts'
import { type CertificatePair, readPair } from '../../shared/tls/certificate-pair.ts'
import type { CertificateSource, SourceEvents } from './certificate-source.ts'

/** Makes sources; their code is loaded only where a config wants them. */
export interface SourceFactories {
  acme(config: AcmeConfig, events: SourceEvents): Promise<CertificateSource>
  internal(config: InternalCaConfig, events: SourceEvents): Promise<CertificateSource>
  /** A certificate that nobody believes, until there is one. */
  placeholder(names: readonly string[]): Promise<TlsCertificate>
}

interface OpenSource {
  source: CertificateSource
  placeholder: TlsCertificate
  isStarted: boolean
}

/** By listener name and kind. */
export type PreparedSources = Map<string, OpenSource>

export const realSources: SourceFactories = {
  acme: async (config, events) => (await import('./acme/acme-source.ts')).acmeSource(config, events),
  internal: async (config, events) => (await import('./internal-ca/internal-ca.ts')).openInternalCa(config, events),
  placeholder: async (names) => (await import('./internal-ca/placeholder.ts')).placeholderCertificate(names),
}

export class SourceBook {
  readonly #factories: SourceFactories
  readonly #events: SourceEvents
  readonly #pairs = new WeakMap<TlsCertificate, CertificatePair>()
  #open: PreparedSources = new Map()
  #isRunning = false

  constructor(factories: SourceFactories, events: SourceEvents) {
    this.#factories = factories
    this.#events = events
  }

  /** A source whose definition is the same stays. None of the new ones is started yet. */
  async prepare({ listeners }: Pick<Config, 'listeners'>): Promise<PreparedSources> {
    const prepared: PreparedSources = new Map()
    for (const { tls } of listeners) {
      const { acme = null, internal = null } = tls ?? {}
      if (acme !== null) {
        const make = () => this.#factories.acme(acme, this.#events)
        prepared.set(keyOf('acme', acme), await this.#sourceOf(keyOf('acme', acme), acme.domains, make))
      }
      if (internal !== null) {
        const make = () => this.#factories.internal(internal, this.#events)
        prepared.set(keyOf('internal', internal), await this.#sourceOf(keyOf('internal', internal), internal.names, make))
      }
    }
    return prepared
  }

  /** Those that are no more are closed, and new ones begin. */
  commit(prepared: PreparedSources): void {
    this.#closeUnless(this.#open, prepared)
    this.#open = prepared
    if (this.#isRunning) this.start()
  }

  rollback(prepared: PreparedSources): void {
    this.#closeUnless(prepared, this.#open)
  }

  start(): void {
    this.#isRunning = true
    for (const open of this.#open.values()) {
      if (open.isStarted) continue
      open.isStarted = true
      open.source.start()
    }
  }

  close(): void {
    this.#isRunning = false
    for (const { source } of this.#open.values()) source.close()
    this.#open = new Map()
  }

  /** What a source has now, or what stands in for it. A certificate that cannot be read is none. */
  pairsOf(kind: 'acme' | 'internal', config: AcmeConfig | InternalCaConfig, sources = this.#open): CertificatePair[] {
    return (sources.get(keyOf(kind, config))?.source.current() ?? []).flatMap((certificate) => this.#pairOf(certificate))
  }

  placeholderOf(kind: 'acme' | 'internal', config: AcmeConfig | InternalCaConfig, sources = this.#open): CertificatePair[] {
    const placeholder = sources.get(keyOf(kind, config))?.placeholder
    return placeholder === undefined ? [] : this.#pairOf(placeholder)
  }

  challengesOf(config: AcmeConfig, sources = this.#open): { name: string; certificate: TlsCertificate }[] {
    return [...(sources.get(keyOf('acme', config))?.source.challenges() ?? [])]
  }

  /** Of all sources. */
  tokens(sources = this.#open): Record<string, string> {
    return Object.assign({}, ...[...sources.values()].map(({ source }) => source.tokens())) as Record<string, string>
  }

  async #sourceOf(key: string, names: readonly string[], make: () => Promise<CertificateSource>): Promise<OpenSource> {
    const known = this.#open.get(key)
    if (known !== undefined) return known
    return { source: await make(), placeholder: await this.#factories.placeholder(names), isStarted: false }
  }

  #pairOf(certificate: TlsCertificate): CertificatePair[] {
    const known = this.#pairs.get(certificate)
    if (known !== undefined) return [known]
    try {
      const pair = readPair(certificate.chain, certificate.key, certificate.ocsp)
      this.#pairs.set(certificate, pair)
      return [pair]
    } catch (error) {
      this.#events.log(`a certificate that was issued cannot be used: ${(error as Error).message}`)
      return []
    }
  }

  #closeUnless(sources: PreparedSources, kept: PreparedSources): void {
    for (const [key, { source }] of sources) if (kept.get(key)?.source !== source) source.close()
  }
}

function keyOf(kind: 'acme' | 'internal', config: AcmeConfig | InternalCaConfig): string {
  return `${kind} ${JSON.stringify(config)}`
}
