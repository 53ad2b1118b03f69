/** A check that asks for a page. Redirects are answers like others and never followed. */
import { formatDuration } from '../../shared/base/units.ts'
import type { HealthConfig, StatusRanges } from '../../shared/config/model.ts'
import type { ResolvedAddress } from '../../shared/ipc/protocol.ts'
import { CheckConnection, type ConnectionPlan, type ConnectionUser, RestingConnections } from './check-connection.ts'
import { tlsFailureOf } from './check-tls.ts'
import { failureOf, type Probe, type ProbeConfig, type ProbeOutcome, proxyHeader, type RunningProbe, runProbe } from './probe.ts'
import { type ReadOutcome, ResponseReader } from './response-reader.ts'

type HttpCheck = Extract<HealthConfig['check'], { kind: 'http' }>

/** Longest wait of a connection for its next check. */
const IDLE_MS = 30_000
/** A connection is left this much earlier than the server said it would close it. */
const IDLE_MARGIN_MS = 1_000

export interface HttpProber {
  probe: Probe
  /** Closes the connections that wait for their next check. */
  close(): void
}

/** Checks over HTTP/1.1 on kept connections, at most one that waits per address. */
export function httpProber(): HttpProber {
  const resting = new RestingConnections()
  const questions = new WeakMap<ProbeConfig, Question>()
  return {
    probe(address, config, timeoutMs, signal) {
      return runProbe(timeoutMs, signal, (end) => {
        const question = questions.get(config) ?? questionOf(config, address)
        questions.set(config, question)
        return new Attempt({ plan: planOf(address, config, question), question, resting, timeoutMs, end })
      })
    },
    close: () => resting.close(),
  }
}

function planOf(address: ResolvedAddress, config: ProbeConfig, { greeting }: Question): ConnectionPlan {
  const { tls = null } = config
  if (tls === null) return { address, greeting, tls: null }
  const now = tls.now()
  if (now === null) throw new Error('the server is known no more')
  return { address, greeting, tls: now }
}

/** What is the same in all checks of a server. */
interface Question {
  check: HttpCheck
  /** What begins a connection; null: nothing. */
  greeting: Buffer | null
  bytes: Buffer
  wanted: RegExp | string | null
}

interface AttemptOptions {
  plan: ConnectionPlan
  question: Question
  resting: RestingConnections
  timeoutMs: number
  end: (outcome: ProbeOutcome) => void
}

/** One check: one request, and a second one when the first met a kept connection that the server was just closing. */
class Attempt implements RunningProbe, ConnectionUser {
  readonly #options: AttemptOptions
  #connection: CheckConnection | null
  #reader: ResponseReader
  #hasBytes = false

  constructor(options: AttemptOptions) {
    this.#options = options
    const { question, resting, plan } = options
    this.#reader = readerFor(question)
    // A PROXY header stands at the beginning of a connection, so each check has its own.
    this.#connection = plan.greeting === null ? resting.take(plan, performance.now()) : null
    this.#connection?.lend(this)
    this.#connection ??= new CheckConnection(plan, this)
    this.#connection.write(question.bytes)
  }

  release(): void {
    this.#connection?.destroy()
    this.#connection = null
  }

  late(): ProbeOutcome {
    const time = formatDuration(this.#options.timeoutMs)
    if (this.#connection?.isConnecting === true) return { ok: false, code: 'L4TOUT', reason: `no connection in ${time}` }
    if (this.#connection?.isSecuring === true) return { ok: false, code: 'L6TOUT', reason: `no TLS handshake in ${time}` }
    if (this.#reader.status === null) return { ok: false, code: 'L7TOUT', reason: `no answer in ${time}` }
    return { ok: false, code: 'L7TOUT', status: this.#reader.status, reason: `no end of the answer in ${time}` }
  }

  took(bytes: Buffer): void {
    this.#hasBytes = true
    this.#conclude(this.#reader.push(bytes))
  }

  lost(error: NodeJS.ErrnoException | null): void {
    const { plan, question, end } = this.#options
    if (this.#connection?.isReused === true && !this.#hasBytes) {
      // The server closed it while it waited, which says nothing about the next connection.
      this.#connection = new CheckConnection(plan, this)
      this.#connection.write(question.bytes)
      return
    }
    const isSecuring = this.#connection?.isSecuring === true && plan.tls !== null
    if (isSecuring)
      end(error === null ? { ok: false, code: 'L6RSP', reason: 'connection closed during the TLS handshake' } : tlsFailureOf(error))
    else if (error === null) this.#conclude(this.#reader.close())
    else end({ ...(plan.tls === null ? failureOf(error) : tlsFailureOf(error)), ...this.#status() })
  }

  #conclude(outcome: ReadOutcome): void {
    if (outcome.at === 'more') return
    const { question, end } = this.#options
    if (outcome.at === 'whole') this.#giveBack()
    end(outcome.at === 'whole' ? judge(question, this.#reader) : { ok: false, code: 'L7RSP', reason: outcome.reason, ...this.#status() })
  }

  #giveBack(): void {
    const { resting, plan } = this.#options
    const connection = this.#connection
    if (connection === null || plan.greeting !== null || !this.#reader.isReusable) return
    this.#connection = null
    const idleMs = Math.min(IDLE_MS, (this.#reader.idleMs ?? IDLE_MS) - IDLE_MARGIN_MS)
    resting.put(plan, connection, performance.now(), idleMs)
  }

  #status(): { status?: number } {
    return this.#reader.status === null ? {} : { status: this.#reader.status }
  }
}

function readerFor(question: Question): ResponseReader {
  return new ResponseReader({ method: question.check.method, keepsBody: question.wanted !== null })
}

/** Throws what a person can read when the check cannot be written as a request. */
function questionOf(config: ProbeConfig, address: ResolvedAddress): Question {
  const check = config.check
  if (check.kind !== 'http') throw new Error('this check is not over HTTP')
  const greeting = proxyHeader(config.sendProxyProtocol)
  const fields = new Map<string, string>([['host', check.host ?? ('path' in address ? 'localhost' : config.authority)]])
  fields.set('user-agent', 'weir')
  if (!['GET', 'HEAD', 'OPTIONS'].includes(check.method)) fields.set('content-length', '0')
  for (const [name, value] of check.headers) fields.set(name.toLowerCase(), value)
  if (greeting !== null) fields.set('connection', 'close')
  const lines = [`${check.method} ${check.path} HTTP/1.1`, ...[...fields].map(([name, value]) => `${name}: ${value}`)]
  if (/[\r\n\0]/.test(lines.join('')) || /\s/.test(check.path)) throw new Error('the check is no valid request')
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  const wanted = check.body === null || typeof check.body === 'string' ? check.body : new RegExp(check.body.regex)
  return { check, greeting, bytes, wanted }
}

function judge({ check, wanted }: Question, reader: ResponseReader): ProbeOutcome {
  const status = reader.status ?? 0
  const reason = `status ${status}`
  if (status === check.softStop) return { ok: true, code: 'L7OKC', status, reason: `${reason}: asks to be drained`, drain: true }
  if (!isWithin(check.statuses, status)) return { ok: false, code: 'L7STS', status, reason }
  if (wanted !== null && !holds(wanted, reader)) return { ok: false, code: 'L7STS', status, reason: `${reason}, but not the body` }
  return { ok: true, code: 'L7OK', status, reason }
}

function isWithin(ranges: StatusRanges, status: number): boolean {
  return ranges.some(([first, last]) => status >= first && status <= last)
}

function holds(wanted: string | RegExp, reader: ResponseReader): boolean {
  const text = reader.body().toString('utf8')
  return typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)
}
