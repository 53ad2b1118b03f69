/** HTTP servers of one upstream whose behaviour a scenario changes while traffic flows, and that it takes away and brings back. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ask, type Client, connect, type Target } from './client.ts'
import { config } from './config.ts'
import { type Handler, type SeenRequest, startServer, type TestServer } from './server.ts'
import { type Scope, until } from './wait.ts'

export interface Member {
  readonly name: string
  readonly address: string
  readonly port: number
  /** Requests since it was made or `forget` was called, those for `/health` not among them. */
  readonly requests: SeenRequest[]
  /** Requests for `/health`. */
  readonly checks: SeenRequest[]
  /** Requests in its hands now, and the most that were at once. */
  readonly inHand: number
  readonly mostInHand: number
  /** Connections that it accepted since it last started. */
  readonly connections: number
  /** What it does with a request; answers its name unless told otherwise. */
  handle: Handler
  /** What it does with a request for `/health`; answers `ok` unless told otherwise. */
  checked: Handler
  forget(): void
  /** Closes the port and every connection. */
  stop(): Promise<void>
  /** Listens on the same port again. */
  start(): Promise<void>
}

/** Answers with this status, and the text, or the server's name. */
export function answers(status: number, text = '', headers: Record<string, string> = {}): Handler {
  return (_req, res) => void res.writeHead(status, headers).end(text)
}

/** A server that answers its name. It listens until the scope ends. */
export async function member(scope: Scope, name: string, place: { host?: string; port?: number } = {}): Promise<Member> {
  let server: TestServer | undefined
  let inHand = 0
  let mostInHand = 0
  const requests: SeenRequest[] = []
  const checks: SeenRequest[] = []
  const route: Handler = (req, res, seen) => {
    if (/^\/health\b/.test(seen.url)) {
      checks.push(seen)
      return made.checked(req, res, seen)
    }
    requests.push(seen)
    inHand++
    mostInHand = Math.max(mostInHand, inHand)
    res.on('close', () => inHand--)
    return made.handle(req, res, seen)
  }
  const start = async (port: number) => {
    server = await startServer(scope, route, { name, ...place, port })
  }
  await start(place.port ?? 0)
  const { address, port } = server as unknown as TestServer
  const made: Member = {
    name,
    address,
    port,
    requests,
    checks,
    get inHand() {
      return inHand
    },
    get mostInHand() {
      return mostInHand
    },
    get connections() {
      return server?.connections ?? 0
    },
    handle: answers(200, name),
    checked: answers(200, 'ok'),
    forget() {
      requests.length = 0
      checks.length = 0
      mostInHand = 0
    },
    stop: async () => server?.close(),
    start: () => start(port),
  }
  return made
}

/** Servers with these names, one letter each. */
export function members(scope: Scope, names: string): Promise<Member[]> {
  return Promise.all([...names].map((name) => member(scope, name)))
}

/** A gate in front of handlers: requests wait at it until it lets them out one by one, or all. */
export class Gate {
  readonly #waiting: { res: ServerResponse; text: string; url: string }[] = []
  #isOpen = false

  /** For `Member.handle`: answers with the text once it is let out. */
  handler(text: string): Handler {
    return (req: IncomingMessage, res: ServerResponse) => {
      if (this.#isOpen) return void res.end(text)
      this.#waiting.push({ res, text, url: req.url ?? '' })
    }
  }

  get size(): number {
    return this.#waiting.length
  }

  /** Paths of those who wait. */
  get urls(): string[] {
    return this.#waiting.map(({ url }) => url)
  }

  /** Lets the one out that has waited longest. */
  next(): void {
    const first = this.#waiting.shift()
    first?.res.end(first.text)
  }

  /** Lets everybody out, also those who come later. */
  open(): void {
    this.#isOpen = true
    while (this.#waiting.length > 0) this.next()
  }
}

/** The answers to `count` requests one after the other, each on a connection of its own, so that every worker gets some. */
export async function picks(
  scope: Scope,
  target: Target,
  count: number,
  startLine = 'GET /',
  headers: Record<string, string> = {},
): Promise<string[]> {
  const texts: string[] = []
  for (let i = 0; i < count; i++) texts.push((await ask(scope, target, startLine, headers)).text)
  return texts
}

/** How often each text comes. */
export function tally(texts: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1
  return counts
}

/** Waits until `count` requests in a row were all answered by these servers and by no other. */
export async function serves(scope: Scope, target: Target, names: string, options: ServesOptions = {}): Promise<void> {
  const { count = 8, within = 15_000, path = '/' } = options
  const wanted = [...names].sort().join('')
  let last = ''
  const isSo = async () => {
    const texts = await picks(scope, target, count, `GET ${path}`)
    last = texts.join(' ')
    return [...new Set(texts)].sort().join('') === wanted
  }
  await until(isSo, { within, what: `only and all of ${wanted} serve` }).catch((cause) => {
    throw new Error(`${cause.message}; at last it was ${last}`, { cause })
  })
}

export interface ServesOptions {
  count?: number
  within?: number
  path?: string
}

/** Sends a request and returns when it is on its way; the answer is read with `readResponse`. */
export async function send(
  scope: Scope,
  target: Target,
  startLine = 'GET /',
  headers: Record<string, string> = {},
  body?: string,
): Promise<Client> {
  const client = await connect(scope, target)
  client.request(startLine, headers, body)
  return client
}

type Settings = Record<string, unknown>

/** A config with these upstreams, each behind the path of its name: `/name`, and everything below. */
export function byPath(upstreams: Record<string, Settings>, top: Settings = {}): Settings {
  const routes = Object.keys(upstreams).map((name) => ({ match: { path: [`=/${name}`, `/${name}/`] }, upstream: name }))
  return { ...config({ servers: [], listener: { routes } }), upstreams, ...top }
}
