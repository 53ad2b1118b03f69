/** What each request over HTTP is answered: who asks, from where, for what. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { printable } from '../control/printable.ts'
import { Access, type Level } from './access.ts'
import { answerLive, answerVerb, isPlainRead, sendRefusal, windowFault, windowOf } from './api.ts'
import { adminLimits } from './limits.ts'
import { LiveStreams } from './live-stream.ts'
import { type PageFile, pageFile } from './page/page.ts'
import { readBody } from './read-body.ts'
import { send, sendJson, sendNothing, sendText } from './respond.ts'
import { hostFault, siteFault } from './same-site.ts'
import { Scrapes } from './scrape.ts'
import type { AdminServerOptions } from './server.ts'

export interface ReadyState {
  isReady: boolean
  /** Why not, or what it does, in a few words; one line. */
  why: string
}

interface Asked {
  request: IncomingMessage
  response: ServerResponse
  /** HEAD is GET here. */
  method: string
  path: string
  /** Without the question mark. */
  query: string
}

/** At most so often a wrong token is told of. */
const TELL_MS = 1_000

export class AdminDesk {
  readonly #options: AdminServerOptions
  readonly #access: Access
  readonly #streams: LiveStreams
  readonly #scrapes: Scrapes
  #toldMs = Number.NEGATIVE_INFINITY

  constructor(options: AdminServerOptions) {
    this.#options = options
    this.#access = new Access(options.config)
    this.#streams = new LiveStreams(
      options.statistics,
      adminLimits.viewers,
      () => options.operation.fleet.table.version + options.operation.generation(),
    )
    this.#scrapes = new Scrapes(options.statistics, adminLimits.scrapes)
  }

  /** Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url = '/', method = '' } = request
    const [path = '/', query = ''] = url.split('?', 2)
    try {
      await this.#answer({ request, response, method: method === 'HEAD' ? 'GET' : method, path, query })
    } catch (error) {
      this.#options.operation.log(`admin: ${printable((error as Error).message)}`)
      if (response.headersSent) response.destroy()
      else sendRefusal(response, this.#options.operation, 500, (error as Error).message)
    }
  }

  close(): void {
    this.#streams.close()
  }

  async #answer(asked: Asked): Promise<void> {
    const { request, response, path, method } = asked
    if (path === '/ready' || path === '/live') return this.#answerReadiness(asked)
    const fault = hostFault(request.headers, this.#options.config)
    if (fault !== null) return this.#refuse(response, 421, fault)
    const page = method === 'GET' ? pageFile(path) : null
    if (page !== null) return sendPage(response, page)
    const foreign = siteFault(request.headers)
    if (foreign !== null) return this.#refuse(response, 403, foreign)
    if (path === '/login') return this.#login(asked)
    if (path !== '/metrics' && path !== '/logout' && !path.startsWith('/api/'))
      return sendText(response, 404, 'there is nothing here: see /')
    const level = this.#access.levelOf(request.headers)
    if (level === null) return this.#refuseStranger(request, response)
    return this.#serve(asked, level)
  }

  async #serve(asked: Asked, level: Level): Promise<void> {
    const { request, response, path, method } = asked
    if (path === '/logout') return method === 'POST' ? this.#logout(response) : this.#allow(response, 'POST')
    if (path === '/metrics') return method === 'GET' ? this.#scrapes.answer(request, response) : this.#allow(response, 'GET, HEAD')
    const verb = path.slice('/api/'.length)
    if (verb === 'live/stream') return method === 'GET' ? this.#stream(asked) : this.#allow(response, 'GET')
    if (method === 'POST') return this.#act(asked, verb, level)
    if (method !== 'GET') return this.#allow(response, isPlainRead(verb) ? 'GET, HEAD, POST' : 'POST')
    if (verb === 'live') return answerLive(this.#options.operation, response, asked.query)
    if (isPlainRead(verb)) return answerVerb(this.#options.operation, response, { verb, body: '', level, who: whoIs(request) })
    return this.#allow(response, 'POST')
  }

  /** A verb with its fields. Only a page of ours, or no page, can send JSON. */
  async #act({ request, response }: Asked, verb: string, level: Level): Promise<void> {
    const { operation } = this.#options
    if (!isJson(request)) return this.#refuse(response, 415, 'send the fields of the verb as JSON, with Content-Type: application/json')
    const body = await readBody(request, adminLimits.bodyBytes)
    if (!body.ok) return this.#refuse(response, body.status, body.why, { Connection: 'close' })
    return answerVerb(operation, response, { verb, body: body.text, level, who: whoIs(request) })
  }

  #stream({ response, query }: Asked): void {
    const window = windowOf(query)
    if (window === null) this.#refuse(response, 400, windowFault)
    else if (!this.#streams.add(response, window))
      this.#refuse(response, 503, 'too many are watching: try again later', { 'Retry-After': '5' })
  }

  async #login({ request, response, method }: Asked): Promise<void> {
    if (method !== 'POST') return this.#allow(response, 'POST')
    if (!isJson(request)) return this.#refuse(response, 415, 'send {"token": …} as JSON, with Content-Type: application/json')
    const body = await readBody(request, adminLimits.bodyBytes)
    if (!body.ok) return this.#refuse(response, body.status, body.why, { Connection: 'close' })
    if (this.#access.isOpen) return sendJson(response, 200, { level: 'operate' })
    const token = tokenOf(body.text)
    const level = token === null ? null : this.#access.levelOfToken(token)
    if (token === null || level === null) return this.#refuseStranger(request, response)
    sendJson(response, 200, { level }, { 'Set-Cookie': this.#access.cookieFor(token) })
  }

  #logout(response: ServerResponse): void {
    sendNothing(response, { 'Set-Cookie': `${this.#access.cookieFor('')}; Max-Age=0` })
  }

  #answerReadiness({ response, method, path }: Asked): void {
    const { isReady, why } = this.#options.ready()
    if (method !== 'GET') this.#allow(response, 'GET, HEAD')
    else if (path === '/live') sendText(response, 200, 'live')
    else sendText(response, isReady ? 200 : 503, why)
  }

  #refuseStranger(request: IncomingMessage, response: ServerResponse): void {
    const now = performance.now()
    if (request.headers.authorization !== undefined || request.method === 'POST') {
      if (now - this.#toldMs > TELL_MS) this.#options.operation.log(`admin: wrong token (${whoIs(request)})`)
      this.#toldMs = now
    }
    this.#refuse(response, 401, 'this needs the token of admin.token', { 'WWW-Authenticate': 'Bearer realm="weir"' })
  }

  #allow(response: ServerResponse, methods: string): void {
    this.#refuse(response, 405, `only ${methods}`, { Allow: methods })
  }

  #refuse(response: ServerResponse, status: number, why: string, headers: Record<string, string> = {}): void {
    sendRefusal(response, this.#options.operation, status, why, headers)
  }
}

function sendPage(response: ServerResponse, { type, body }: PageFile): void {
  send(response, 200, type, body)
}

function isJson({ headers }: IncomingMessage): boolean {
  return /^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')
}

function tokenOf(body: string): string | null {
  try {
    const { token } = JSON.parse(body) as { token?: unknown }
    return typeof token === 'string' ? token : null
  } catch {
    return null
  }
}

/** For the audit line. What proxies say about it is not believed. */
function whoIs({ socket }: IncomingMessage): string {
  return `HTTP from ${socket.remoteAddress ?? 'somebody who is gone'}`
}
