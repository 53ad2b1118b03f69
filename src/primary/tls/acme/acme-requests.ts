/**
 * How requests to an ACME server are made. acme-client sends all of them through one HTTP client, so what differs between servers, and
 * what ends them, travels beside the calls that cause them. What a server refuses becomes an error with its reason in words.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Agent } from 'node:https'

export type AcmeLibrary = typeof import('acme-client')
type Response = Parameters<NonNullable<Parameters<AcmeLibrary['axios']['interceptors']['response']['use']>[0]>>[0]

export interface RequestSettings {
  agent: Agent
  signal: AbortSignal
}

/** A server's answer that says no (RFC 8555 6.7). The message is in words. */
export class AcmeRefusal extends Error {
  /** The last part of the problem's type, such as `rateLimited`; '' when there is none. */
  readonly kind: string
  /** 0: the server did not say. */
  readonly retryAfterMs: number

  constructor(message: string, { kind, retryAfterMs }: { kind: string; retryAfterMs: number }) {
    super(message)
    this.kind = kind
    this.retryAfterMs = retryAfterMs
  }
}

const REQUEST_MS = 30_000
const MOST_BYTES = 1 << 20
const RATE_LIMITED_MS = 60 * 60_000

const settings = new AsyncLocalStorage<RequestSettings>()
let library: Promise<AcmeLibrary> | undefined

/** Runs what asks an ACME server; its requests are made with these settings. */
export function withRequests<T>(of: RequestSettings, run: (acme: AcmeLibrary) => Promise<T>): Promise<T> {
  return settings.run(of, async () => run(await loadLibrary()))
}

/** What went wrong with a challenge or an order, in words. */
export function problemText(problem: unknown): string {
  const { type, detail, subproblems } = (problem ?? {}) as { type?: unknown; detail?: unknown; subproblems?: unknown }
  const parts = Array.isArray(subproblems) ? subproblems.slice(0, 3).map(subproblemText) : []
  const text = [typeof detail === 'string' ? detail : 'no reason given', ...parts].join('; ')
  // It is another program's text: one line, and not without end.
  const line = text.replace(/\p{Cc}+/gu, ' ').slice(0, 500)
  return typeof type === 'string' ? `${line} (${kindOf(type)})` : line
}

function subproblemText(problem: unknown): string {
  const { identifier, detail } = (problem ?? {}) as { identifier?: { value?: unknown }; detail?: unknown }
  return `${String(identifier?.value ?? '')}: ${String(detail ?? '')}`
}

/** The library's own answer to failures is to wait, as long as the server says, and to forget the reason: ours takes its place. */
function loadLibrary(): Promise<AcmeLibrary> {
  library ??= import('acme-client').then((acme) => {
    const { request, response } = acme.axios.interceptors
    request.clear()
    response.clear()
    request.use((config) => {
      const { agent, signal } = settings.getStore() ?? {}
      config.timeout = REQUEST_MS
      config.maxContentLength = MOST_BYTES
      if (agent !== undefined) config.httpsAgent = agent
      if (signal !== undefined) config.signal = signal
      return config
    })
    response.use(refuse, explain)
    return acme
  })
  return library
}

function refuse(response: Response): Response {
  const { status, data, headers } = response
  const kind = kindOf(String((data as { type?: unknown } | null)?.type ?? ''))
  // The library asks again with the new nonce.
  if (status < 400 || kind === 'badNonce') return response
  const said = retryAfterMs(headers['retry-after'], Date.now())
  const waits = said === 0 && (kind === 'rateLimited' || status === 429) ? RATE_LIMITED_MS : said
  const reason = typeof data === 'object' && data !== null ? problemText(data) : `status ${status}`
  throw new AcmeRefusal(`${hostOf(response.config.url)} answered ${reason}`, { kind, retryAfterMs: waits })
}

function explain(error: Error & { code?: string; config?: { url?: string }; cause?: Error }): never {
  const host = hostOf(error.config?.url)
  const code = error.code ?? ''
  throw new Error(`cannot ask ${host}: ${reasons[code] ?? (error.message || error.cause?.message || code)}`, { cause: error })
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'it refuses connections',
  ECONNRESET: 'it closed the connection',
  ECONNABORTED: `it did not answer within ${REQUEST_MS / 1000} s`,
  ETIMEDOUT: 'it does not answer',
  ENOTFOUND: 'there is no such name',
  EAI_AGAIN: 'its name cannot be looked up',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
}

/** Reads a Retry-After header: seconds, or a date. */
export function retryAfterMs(value: unknown, now: number): number {
  if (typeof value !== 'string') return 0
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return ms > 0 ? ms : 0
}

function kindOf(type: string): string {
  return type.slice(type.lastIndexOf(':') + 1).slice(0, 64)
}

function hostOf(url: string | undefined): string {
  try {
    return new URL(url ?? '').host
  } catch {
    return 'the ACME server'
  }
}
