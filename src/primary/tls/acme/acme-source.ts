import { setTimeout as delay } from 'node:timers/promises'
import type { TlsCertificate } from '../../../native/contract.ts'
import type { AcmeConfig } from '../../../shared/config/tls-model.ts'
import type { CertificateSource, SourceEvents } from '../certificate-source.ts'
import { takeLock } from '../storage/file-lock.ts'
import { type KeyAndCertificate, lifeOf } from '../x509/key-and-certificate.ts'
import { AcmeRefusal } from './acme-requests.ts'
import { type AcmeStorage, acmeStorage } from './acme-storage.ts'
import { challengeCertificate } from './challenge-certificate.ts'
import { issueCertificate } from './issue-certificate.ts'
import type { ChallengeAnswer, Pace } from './order.ts'
import { type Backoff, nextLookMs, renewalTime, retryDelayMs, shortestGapMs, usualBackoff } from './schedule.ts'

/** How patient a source is; only tests are less so than usual. */
export interface Patience {
  backoff: Backoff
  pace: Pace
  /** From the moment that answers to challenges are told to workers until the server may ask for them. */
  spreadMs: number
  /** How often one looks whether another process is done that orders the same. */
  lockedMs: number
}

const usualPatience: Patience = {
  backoff: usualBackoff,
  pace: { pollMs: { first: 500, most: 10_000 }, withinMs: 300_000 },
  spreadMs: 1_000,
  lockedMs: 10_000,
}

/**
 * Certificates of an ACME server (RFC 8555): one for all names of a listener. What is stored is there at once; the rest happens behind
 * the traffic, and a server that is down or refuses is asked again, ever more seldom.
 */
export function acmeSource(config: AcmeConfig, events: SourceEvents, patience: Partial<Patience> = {}): CertificateSource {
  return new AcmeSource(config, events, { ...usualPatience, ...patience })
}

class AcmeSource implements CertificateSource {
  readonly #config: AcmeConfig
  readonly #events: SourceEvents
  readonly #patience: Patience
  readonly #storage: AcmeStorage
  readonly #stop = new AbortController()
  #certificate: KeyAndCertificate | null = null
  /** The same objects until it is replaced. */
  #shown: TlsCertificate[] = []
  #issuedAt = 0
  /** Drawn for each certificate: see `renewalTime`. */
  #random = Math.random()
  #challenges: { name: string; certificate: TlsCertificate }[] = []
  #tokens: Record<string, string> = {}
  #failures = 0
  #timer: NodeJS.Timeout | undefined

  constructor(config: AcmeConfig, events: SourceEvents, patience: Patience) {
    this.#config = config
    this.#events = events
    this.#patience = patience
    this.#storage = acmeStorage(config.storage, config.directory, config.domains)
    try {
      const stored = this.#stored()
      if (stored !== null) this.#use(stored)
    } catch {
      // Told by `start`, which looks there again.
    }
  }

  current(): readonly TlsCertificate[] {
    return this.#shown
  }

  challenges(): readonly { name: string; certificate: TlsCertificate }[] {
    return this.#challenges
  }

  tokens(): Readonly<Record<string, string>> {
    return this.#tokens
  }

  start(): void {
    void this.#look()
  }

  close(): void {
    this.#stop.abort()
    clearTimeout(this.#timer)
  }

  async #look(): Promise<void> {
    try {
      this.#adopt()
      if (this.#dueMs() <= Date.now() && !(await this.#renew())) return this.#lookIn(this.#patience.lockedMs)
      this.#failures = 0
      this.#lookIn(nextLookMs(Date.now(), this.#dueMs()))
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#fail(error as Error)
    }
  }

  /** Takes what is stored, which another process may have renewed. */
  #adopt(): void {
    const stored = this.#stored()
    if (stored === null || stored.certificate === this.#certificate?.certificate) return
    if (this.#certificate !== null && lifeOf(stored).notAfter <= lifeOf(this.#certificate).notAfter) return
    this.#use(stored)
    this.#events.changed()
  }

  #stored(): KeyAndCertificate | null {
    const stored = this.#storage.read()
    return stored !== null && lifeOf(stored).notAfter > Date.now() ? stored : null
  }

  #use(certificate: KeyAndCertificate): void {
    this.#certificate = certificate
    this.#shown = [{ chain: certificate.certificate, key: certificate.key, ocsp: null }]
    this.#random = Math.random()
  }

  /** false: another process is at it. */
  async #renew(): Promise<boolean> {
    const lock = await takeLock(this.#storage.lockFile)
    if (lock === null) return false
    try {
      this.#adopt()
      if (this.#dueMs() > Date.now()) return true
      const { pace } = this.#patience
      const publish = (answers: readonly ChallengeAnswer[]) => this.#answer(answers)
      const made = await issueCertificate({ config: this.#config, storage: this.#storage, pace, publish, signal: this.#stop.signal })
      await this.#storage.write(made)
      this.#issuedAt = Date.now()
      if (this.#stop.signal.aborted) return true
      this.#use(made)
      this.#events.changed()
      this.#tell(
        `got a certificate for ${this.#names()} from ${new URL(this.#config.directory).host}, good until ${day(lifeOf(made).notAfter)}`,
      )
      return true
    } finally {
      this.#publish([], {})
      await lock.release()
    }
  }

  async #answer(answers: readonly ChallengeAnswer[]): Promise<void> {
    if (this.#config.challenge === 'http-01') {
      this.#publish([], Object.fromEntries(answers.map(({ token, keyAuthorization }) => [token, keyAuthorization])))
    } else {
      const made = answers.map(async ({ domain, keyAuthorization }) => ({
        name: domain,
        certificate: await challengeCertificate(domain, keyAuthorization),
      }))
      this.#publish(await Promise.all(made), {})
    }
    await delay(this.#patience.spreadMs, undefined, { signal: this.#stop.signal })
  }

  #publish(challenges: { name: string; certificate: TlsCertificate }[], tokens: Record<string, string>): void {
    const isSame = challenges.length + this.#challenges.length + Object.keys(tokens).length + Object.keys(this.#tokens).length === 0
    this.#challenges = challenges
    this.#tokens = tokens
    if (!isSame && !this.#stop.signal.aborted) this.#events.changed()
  }

  #fail(error: Error): void {
    this.#failures++
    const retryAfterMs = error instanceof AcmeRefusal ? error.retryAfterMs : 0
    const until = this.#certificate === null ? 0 : lifeOf(this.#certificate).notAfter
    const facts = { failures: this.#failures, retryAfterMs, leftMs: until - Date.now(), random: Math.random() }
    const wait = retryDelayMs(facts, this.#patience.backoff)
    const state = until === 0 ? 'there is none yet' : `the old one is good until ${day(until)}`
    this.#tell(`no new certificate for ${this.#names()}: ${error.message}; ${state}; next try in ${words(wait)}`)
    this.#lookIn(wait)
  }

  #dueMs(): number {
    if (this.#certificate === null) return 0
    const life = lifeOf(this.#certificate)
    return Math.max(renewalTime(life, this.#config.renewBefore, this.#random), this.#issuedAt + shortestGapMs(life))
  }

  #lookIn(ms: number): void {
    if (!this.#stop.signal.aborted) this.#timer = setTimeout(() => void this.#look(), ms).unref()
  }

  #tell(sentence: string): void {
    this.#events.log(`listener ${this.#config.listener}: ${sentence}`)
  }

  #names(): string {
    const [first = '', second, ...more] = this.#config.domains
    if (second === undefined) return first
    return more.length === 0 ? `${first} and ${second}` : `${first}, ${second} and ${more.length} more`
  }
}

function day(ms: number): string {
  return `${new Date(ms).toISOString().replace('T', ' ').slice(0, 16)} UTC`
}

function words(ms: number): string {
  if (ms < 90_000) return `${Math.ceil(ms / 1000)} s`
  return ms < 5_400_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`
}
