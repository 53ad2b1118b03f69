/** The admin address of a weir that a test makes up: the real page over views of the test's own, and a log of what it is asked to do. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { pageFile } from '../../../src/primary/admin/page/page.ts'
import type { LiveView, WindowName } from '../../../src/shared/statistics/live.ts'
import { addressOf, listen, shut } from './listening.ts'
import type { Scope } from './wait.ts'

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'"

export interface FakeAdmin {
  readonly url: string
  /** Bodies of the commands so far, with their verb. */
  readonly commands: Record<string, unknown>[]
  /** What the next commands are answered; done, unless told otherwise. */
  answer: (command: Record<string, unknown>) => { status: number; body: object }
  /** Streams end, and everything is refused until the page is wanted again. */
  isAway: boolean
  /** Streams stay open and silent. */
  isSilent: boolean
  /** When set, everything but page and login needs it. */
  token: string | null
  /** Sends the view of now to every stream. */
  send(): void
}

const done = ({ verb, server }: Record<string, unknown>) => ({
  status: 200,
  body: {
    schema: `weir.${verb}/1`,
    generation: 42,
    time: new Date().toISOString(),
    data: { changed: true, what: `${server}: ${verb} done` },
  },
})

/** `view` is asked for every answer. Streams get a view each second. */
export async function fakeAdmin(scope: Scope, view: (window: WindowName) => LiveView): Promise<FakeAdmin> {
  const streams = new Map<ServerResponse, WindowName>()
  const sockets = new Set<import('node:net').Socket>()
  const http = createServer((req, res) => void serve(req, res))
  http.on('connection', (socket) => sockets.add(socket.on('close', () => sockets.delete(socket))))
  await listen(http, { host: '127.0.0.1', port: 0 })
  const send = () => {
    for (const [stream, window] of admin.isSilent ? [] : streams) stream.write(`event: live\ndata: ${JSON.stringify(view(window))}\n\n`)
  }
  const timer = setInterval(send, 1_000)
  let isAway = false
  const admin: FakeAdmin = {
    url: `http://${addressOf(http)}/`,
    commands: [],
    answer: done,
    isSilent: false,
    token: null,
    send,
    get isAway() {
      return isAway
    },
    set isAway(now) {
      isAway = now
      if (now) for (const socket of sockets) socket.destroy()
    },
  }
  scope.after(async () => {
    clearInterval(timer)
    await shut(http, () => sockets)
  })
  return admin

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (isAway) return void req.socket.destroy()
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://weir')
    const window = (searchParams.get('window') ?? '10s') as WindowName
    const file = req.method === 'GET' ? pageFile(pathname) : null
    if (file !== null) return void res.writeHead(200, { 'content-type': file.type, 'content-security-policy': POLICY }).end(file.body)
    if (pathname === '/login') return login(res, await bodyOf(req))
    if (admin.token !== null && req.headers.cookie !== `weir=${admin.token}`) return json(res, 401, { error: { message: 'log in first' } })
    if (pathname === '/api/live') return json(res, 200, { schema: 'weir.live/1', generation: 42, time: '', data: view(window) })
    if (pathname === '/api/live/stream') {
      streams.set(res.writeHead(200, { 'content-type': 'text/event-stream' }), window)
      res.flushHeaders()
      return void res.on('close', () => streams.delete(res))
    }
    const command = { verb: pathname.slice('/api/'.length), ...(await bodyOf(req)) }
    admin.commands.push(command)
    const { status, body } = admin.answer(command)
    json(res, status, body)
  }

  function login(res: ServerResponse, body: Record<string, unknown>): void {
    if (body['token'] !== admin.token) return void json(res, 401, { error: { message: 'wrong token' } })
    res.setHeader('set-cookie', `weir=${admin.token}; HttpOnly; SameSite=Strict; Path=/`)
    json(res, 200, {})
  }
}

function json(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function bodyOf(req: IncomingMessage): Promise<Record<string, unknown>> {
  let text = ''
  for await (const bytes of req) text += (bytes as Buffer).toString('utf8')
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
}
