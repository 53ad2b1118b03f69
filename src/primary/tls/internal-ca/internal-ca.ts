import { createHash, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import type { TlsCertificate } from '../../../native/contract.ts'
import type { InternalCaConfig } from '../../../shared/config/tls-model.ts'
import { nextLookMs, renewalTime, retryDelayMs } from '../acme/schedule.ts'
import type { CertificateSource, SourceEvents } from '../certificate-source.ts'
import { readPrivateFile, writePrivateFile } from '../storage/private-file.ts'
import { joinPem, type KeyAndCertificate, lifeOf, splitPem } from '../x509/key-and-certificate.ts'
import { makeCertificate } from '../x509/make-certificate.ts'
import { openAuthority, readAuthority } from './authority.ts'

const DAY_MS = 24 * 60 * 60_000
const LIFE_MS = 7 * DAY_MS
/** Clocks of clients may be a little behind. */
const BACKDATED_MS = 60 * 60_000
const RENEW_BEFORE = 1 / 3

/**
 * Certificates for development, signed by an authority of this machine: made on the spot, short-lived, renewed when a third of their
 * life is left. The last one is kept beside the authority, so that a start has it at once.
 */
export function internalCa(config: InternalCaConfig, events: SourceEvents): CertificateSource {
  return new InternalCa(config, events)
}

/** The same, with its certificate there already where that is possible: the first client, too, shall believe it. */
export async function openInternalCa(config: InternalCaConfig, events: SourceEvents): Promise<CertificateSource> {
  const source = new InternalCa(config, events)
  await source.prepare()
  return source
}

class InternalCa implements CertificateSource {
  readonly #config: InternalCaConfig
  readonly #events: SourceEvents
  readonly #file: string
  #certificate: KeyAndCertificate | null = null
  /** The same objects until it is replaced. */
  #shown: TlsCertificate[] = []
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(config: InternalCaConfig, events: SourceEvents) {
    this.#config = config
    this.#events = events
    const id = createHash('sha256')
      .update([...config.names].sort().join('\n'))
      .digest('hex')
      .slice(0, 16)
    this.#file = join(config.storage, 'certificates', `${id}.pem`)
    this.#use(this.#stored())
  }

  /** Before `start`. What goes wrong is told by that. */
  async prepare(): Promise<void> {
    try {
      if (this.#dueMs() <= Date.now()) await this.#issue()
    } catch {
      // `start` tries it again.
    }
  }

  current(): readonly TlsCertificate[] {
    return this.#shown
  }

  challenges(): [] {
    return []
  }

  tokens(): Record<string, never> {
    return {}
  }

  start(): void {
    void this.#look()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  async #look(): Promise<void> {
    try {
      if (this.#dueMs() <= Date.now()) {
        await this.#issue()
        if (!this.#isClosed) this.#events.changed()
      }
      this.#failures = 0
      this.#lookIn(nextLookMs(Date.now(), this.#dueMs()))
    } catch (error) {
      this.#failures++
      const { listener, storage } = this.#config
      if (!this.#isClosed)
        this.#events.log(`listener ${listener}: the authority for development in ${storage} is of no use: ${(error as Error).message}`)
      this.#lookIn(retryDelayMs({ failures: this.#failures, retryAfterMs: 0, leftMs: 0, random: Math.random() }))
    }
  }

  async #issue(): Promise<void> {
    const { names, storage } = this.#config
    const authority = await openAuthority(storage, (sentence) => this.#events.log(sentence))
    const now = Date.now()
    const life = { notBefore: new Date(now - BACKDATED_MS), notAfter: new Date(now + LIFE_MS) }
    const made = await makeCertificate({ subject: names[0] ?? 'weir', names, ...life }, authority)
    await writePrivateFile(this.#file, joinPem(made))
    this.#use(made)
  }

  #use(certificate: KeyAndCertificate | null): void {
    this.#certificate = certificate
    this.#shown = certificate === null ? [] : [{ chain: certificate.certificate, key: certificate.key, ocsp: null }]
  }

  /** The one of the last run, while it is good and its authority is the same. */
  #stored(): KeyAndCertificate | null {
    try {
      const authority = readAuthority(this.#config.storage)
      const stored = splitPem(readPrivateFile(this.#file) ?? '')
      if (authority === null || stored === null) return null
      const isOurs = new X509Certificate(stored.certificate).verify(new X509Certificate(authority.certificate).publicKey)
      return isOurs && lifeOf(stored).notAfter > Date.now() ? stored : null
    } catch {
      // What is wrong with the folder is told when a certificate is to be put there.
      return null
    }
  }

  #dueMs(): number {
    return this.#certificate === null ? 0 : renewalTime(lifeOf(this.#certificate), RENEW_BEFORE, 0)
  }

  #lookIn(ms: number): void {
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#look(), ms).unref()
  }
}
