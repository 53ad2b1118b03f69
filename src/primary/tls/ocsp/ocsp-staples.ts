import { createHash, X509Certificate } from 'node:crypto'
import type { TlsCertificate } from '../../../native/contract.ts'
import { longestDurationMs } from '../../../shared/base/units.ts'
import { type Backoff, retryDelayMs } from '../acme/schedule.ts'
import type { OcspStaples, SourceEvents } from '../certificate-source.ts'
import { askResponder } from './ask-responder.ts'
import { type OcspAnswer, ocspAnswer } from './ocsp-answer.ts'
import { type OcspQuestion, ocspQuestion, requestOf } from './ocsp-question.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const usualBackoff: Backoff = { firstMs: MINUTE_MS, mostMs: HOUR_MS }

interface Watched {
  /** What it is called in the log. */
  name: string
  /** null: nobody can be asked. */
  question: OcspQuestion | null
  answer: OcspAnswer | null
  failures: number
  timer: NodeJS.Timeout | undefined
}

/** Fetches what is to be stapled, and again when half of the time for which it is good is over. */
export function ocspStaples(events: SourceEvents, backoff: Backoff = usualBackoff): OcspStaples {
  return new FetchedStaples(events, backoff)
}

/**
 * When to ask again about an answer, in milliseconds from now: at half of its validity. Some responders hand out old answers: those are
 * asked sooner, though not at once.
 */
export function refreshDelayMs({ thisUpdate, nextUpdate }: Omit<OcspAnswer, 'der'>, now: number, random: number): number {
  const half = (thisUpdate + nextUpdate) / 2 - now
  const left = nextUpdate - now
  const soonest = Math.min(HOUR_MS, Math.max(MINUTE_MS, left / 4))
  // Up to a tenth later by chance: what was fetched together is not asked together.
  return Math.min(left, Math.max(soonest, half + (left / 10) * random))
}

class FetchedStaples implements OcspStaples {
  readonly #events: SourceEvents
  readonly #backoff: Backoff
  readonly #stop = new AbortController()
  #watched = new Map<string, Watched>()
  #isStarted = false

  constructor(events: SourceEvents, backoff: Backoff) {
    this.#events = events
    this.#backoff = backoff
  }

  stapleFor(certificate: TlsCertificate): Uint8Array | null {
    const answer = this.#watched.get(keyOf(certificate))?.answer
    return answer != null && answer.nextUpdate > Date.now() ? answer.der : null
  }

  watch(certificates: readonly TlsCertificate[]): void {
    const next = new Map<string, Watched>()
    for (const certificate of certificates) {
      const key = keyOf(certificate)
      if (!next.has(key)) next.set(key, this.#watched.get(key) ?? this.#begin(certificate))
    }
    for (const [key, { timer }] of this.#watched) if (!next.has(key)) clearTimeout(timer)
    this.#watched = next
  }

  start(): void {
    this.#isStarted = true
    for (const watched of this.#watched.values()) this.#ask(watched)
  }

  close(): void {
    this.#stop.abort()
    for (const { timer } of this.#watched.values()) clearTimeout(timer)
    this.#watched.clear()
  }

  #begin(certificate: TlsCertificate): Watched {
    const watched: Watched = { name: nameOf(certificate), question: null, answer: null, failures: 0, timer: undefined }
    try {
      watched.question = ocspQuestion(certificate)
    } catch (error) {
      this.#events.log(`no OCSP response for ${watched.name}: ${(error as Error).message}`)
    }
    if (this.#isStarted) this.#ask(watched)
    return watched
  }

  #ask(watched: Watched): void {
    const { question } = watched
    if (question !== null) void this.#fetch(watched, question)
  }

  async #fetch(watched: Watched, question: OcspQuestion): Promise<void> {
    this.#dropOld(watched)
    try {
      const der = await askResponder(question.responder, requestOf(question), this.#stop.signal)
      const answer = ocspAnswer(der, question, Date.now())
      if (!this.#isWatched(watched)) return
      const isNew = watched.answer === null || !watched.answer.der.equals(der)
      watched.answer = answer
      watched.failures = 0
      this.#askIn(watched, refreshDelayMs(answer, Date.now(), Math.random()))
      if (isNew) this.#events.changed()
    } catch (error) {
      if (this.#isWatched(watched)) this.#fail(watched, `${new URL(question.responder).host}: ${(error as Error).message}`)
    }
  }

  #fail(watched: Watched, reason: string): void {
    watched.failures++
    const leftMs = watched.answer === null ? 0 : watched.answer.nextUpdate - Date.now()
    const delay = retryDelayMs({ failures: watched.failures, retryAfterMs: 0, leftMs, random: Math.random() }, this.#backoff)
    const state = leftMs > 0 ? `the last one is good until ${new Date(watched.answer?.nextUpdate ?? 0).toISOString()}` : 'there is none'
    this.#events.log(`no new OCSP response for ${watched.name} from ${reason}; ${state}`)
    // A moment earlier when the old one ends before: nobody must see it then.
    this.#askIn(watched, leftMs > 0 ? Math.min(delay, leftMs) : delay)
  }

  #dropOld(watched: Watched): void {
    if (watched.answer === null || watched.answer.nextUpdate > Date.now()) return
    watched.answer = null
    this.#events.changed()
  }

  #isWatched(watched: Watched): boolean {
    return !this.#stop.signal.aborted && [...this.#watched.values()].includes(watched)
  }

  #askIn(watched: Watched, ms: number): void {
    watched.timer = setTimeout(() => this.#ask(watched), Math.min(ms, longestDurationMs)).unref()
  }
}

function keyOf({ chain }: TlsCertificate): string {
  return createHash('sha256').update(chain).digest('base64')
}

function nameOf({ chain }: TlsCertificate): string {
  const { subjectAltName = '', subject = '' } = new X509Certificate(chain)
  return /DNS:([^,]+)/.exec(subjectAltName)?.[1] ?? subject.replaceAll('\n', ', ')
}
