/** The HTTP interface over an operation without workers, and statistics that the test makes up. */
import { type IncomingHttpHeaders, request } from 'node:http'
import type { TestContext } from 'node:test'
import { type AdminServer, openAdmin } from '../../../../src/primary/admin/server.ts'
import type { ExpositionFormat } from '../../../../src/primary/statistics/exposition-writer.ts'
import type { AdminConfig } from '../../../../src/shared/config/model.ts'
import type { WindowName } from '../../../../src/shared/statistics/live.ts'
import { type Fake, fake } from '../../control/fixtures.ts'

export const token = 'operate-operate-operate'
export const viewToken = 'view-view-view-view-view'

export interface Opened {
  fake: Fake
  server: AdminServer
  /** How often each was made. */
  made: { scrapes: ExpositionFormat[]; views: WindowName[] }
  ready: { isReady: boolean; why: string }
  /** What a scraper gets. */
  text: Uint8Array
  ask(path: string, options?: Asking): Promise<Answer>
}

export interface Asking {
  method?: string
  headers?: Record<string, string>
  body?: string | object
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  json: Record<string, unknown> & { data?: Record<string, unknown>; error?: { code: string; message: string } }
}

export async function opened(t: TestContext, config: Partial<AdminConfig> = {}): Promise<Opened> {
  const made = fake()
  const bind = { kind: 'tcp' as const, host: '127.0.0.1', port: 0, lastPort: 0, text: '127.0.0.1:0' }
  const one: Opened = {
    fake: made,
    server: undefined as unknown as AdminServer,
    made: { scrapes: [], views: [] },
    ready: { isReady: true, why: 'running' },
    text: Buffer.from('weir_up 1\n'),
    ask: (path, options) => ask(one.server.address, path, options),
  }
  const statistics = {
    renewViews() {},
    async scrape(format: ExpositionFormat) {
      one.made.scrapes.push(format)
      return one.text
    },
    async live(window: WindowName) {
      one.made.views.push(window)
      return Buffer.from(JSON.stringify({ window, uptimeSeconds: one.made.views.length }))
    },
    latencies: async () => ({ all: null, servers: new Map() }),
  }
  const operation = { ...made.operation, statistics }
  made.operation = operation
  one.server = await openAdmin({
    config: { bind, token: null, viewToken: null, hosts: [], ...config },
    operation,
    statistics,
    ready: () => one.ready,
  })
  t.after(() => one.server.close())
  return one
}

/** Over node:http, which sends whatever header it is told to. */
export function ask(address: string, path: string, { method = 'GET', headers = {}, body }: Asking = {}): Promise<Answer> {
  const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? []
  const text = typeof body === 'object' ? JSON.stringify(body) : body
  const type: Record<string, string> = typeof body === 'object' ? { 'content-type': 'application/json' } : {}
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path, method, headers: { ...type, ...headers }, agent: false }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        const whole = Buffer.concat(parts).toString()
        const json = whole.startsWith('{') ? (JSON.parse(whole) as Answer['json']) : {}
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: whole, json })
      })
      response.on('error', reject)
    })
    asked.on('error', reject)
    asked.end(text)
  })
}
