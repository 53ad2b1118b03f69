/**
 * The HTTP interface: readiness, metrics, the dashboard, and the verbs of the control socket. It lives in the primary, apart from all
 * traffic, and whoever asks costs little: few connections, short requests, and answers that are made once for all who ask.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AdminConfig } from '../../shared/config/model.ts'
import type { Operation } from '../control/operation.ts'
import type { Statistics } from '../statistics/statistics.ts'
import { AdminDesk, type ReadyState } from './desk.ts'
import { adminLimits } from './limits.ts'

export interface AdminServerOptions {
  config: AdminConfig
  operation: Operation
  statistics: Pick<Statistics, 'live' | 'renewViews' | 'scrape'>
  /** Asked for each request. */
  ready(): ReadyState
}

export interface AdminServer {
  /** `127.0.0.1:9900`, with the port that it has really got. */
  address: string
  /** Accepts no more, and ends what is idle and what has no end; a request that is being answered is finished. */
  close(): void
}

/** Opens the interface; port 0 lets the system choose one. Throws an Error of one sentence for people when it cannot be opened. */
export async function openAdmin(options: AdminServerOptions): Promise<AdminServer> {
  const { host, port } = options.config.bind
  const { headMs, requestMs, keepAliveMs, headBytes, connections, stalledMs } = adminLimits
  const desk = new AdminDesk(options)
  const server = createServer(
    {
      headersTimeout: headMs,
      requestTimeout: requestMs,
      keepAliveTimeout: keepAliveMs,
      maxHeaderSize: headBytes,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => void desk.answer(request, response),
  )
  server.maxConnections = connections
  server.timeout = stalledMs
  server.listen({ port, host: host === '' ? undefined : host })
  try {
    await once(server, 'listening')
  } catch (error) {
    throw new Error(`cannot open the HTTP interface at ${textOf(host, port)}: ${(error as Error).message}`)
  }
  server.on('error', (error) => options.operation.log(`admin: ${error.message}`))
  // It never keeps a process alive that has nothing else to do.
  server.unref()
  return {
    address: addressOf(server),
    close() {
      server.close()
      desk.close()
      server.closeIdleConnections()
    },
  }
}

function addressOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo
  return textOf(address, port)
}

function textOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
