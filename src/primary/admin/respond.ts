/** Answers over HTTP: none is stored, framed, sniffed, or runs what is not our own. */
import type { ServerResponse } from 'node:http'

/** Of the dashboard: it loads its own files and nothing else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const common = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
}

export type Headers = Record<string, string | number>

/** Sends a whole answer; the body of a HEAD is left out by the runtime. */
export function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array, headers: Headers = {}): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  response.writeHead(status, { ...common, 'Content-Type': type, 'Content-Length': bytes.byteLength, ...headers }).end(bytes)
}

/** Of a large answer at once: what a crowd of scrapers gets must not keep health checks waiting. */
const PIECE = 128 * 1024

/** The same for a large body, piece by piece. Settles when it is sent or the client is gone. */
export async function sendLarge(response: ServerResponse, status: number, body: Uint8Array, headers: Headers): Promise<void> {
  response.writeHead(status, { ...common, 'Content-Length': body.byteLength, ...headers })
  for (let at = 0; at < body.byteLength && !response.destroyed && response.req.method !== 'HEAD'; at += PIECE) {
    if (!response.write(body.subarray(at, at + PIECE))) await drained(response)
    // A socket that takes everything would keep the event loop for all of it.
    await new Promise((resolve) => setImmediate(resolve))
  }
  response.end()
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      response.off('drain', go)
      response.off('close', go)
      resolve()
    }
    response.on('drain', go).on('close', go)
  })
}

/** One sentence. */
export function sendText(response: ServerResponse, status: number, text: string, headers: Headers = {}): void {
  send(response, status, 'text/plain; charset=utf-8', `${text}\n`, headers)
}

export function sendJson(response: ServerResponse, status: number, json: string | object, headers: Headers = {}): void {
  send(response, status, 'application/json; charset=utf-8', `${typeof json === 'string' ? json : JSON.stringify(json)}\n`, headers)
}

export function sendNothing(response: ServerResponse, headers: Headers = {}): void {
  response.writeHead(204, { ...common, ...headers }).end()
}

/** Begins an answer that goes on: see live-stream.ts. */
export function beginStream(response: ServerResponse): void {
  response.writeHead(200, { ...common, 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' })
  response.flushHeaders()
}
