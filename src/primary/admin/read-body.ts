import type { IncomingMessage } from 'node:http'

export type Body = { ok: true; text: string } | { ok: false; status: 400 | 413; why: string }

/** The whole body of a request as text. The deadlines of the server bound how long that takes. Never rejects. */
export function readBody(request: IncomingMessage, mostBytes: number): Promise<Body> {
  const tooLarge: Body = { ok: false, status: 413, why: `a request has at most ${mostBytes} bytes` }
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) return Promise.resolve(tooLarge)
  return new Promise((resolve) => {
    const parts: Buffer[] = []
    let bytes = 0
    request.on('data', (part: Buffer) => {
      bytes += part.length
      if (bytes <= mostBytes) parts.push(part)
      else resolve(tooLarge)
    })
    request.on('end', () => resolve(textOf(Buffer.concat(parts))))
    request.on('error', () => resolve({ ok: false, status: 400, why: 'the request ended early' }))
    request.on('close', () => resolve({ ok: false, status: 400, why: 'the request ended early' }))
  })
}

function textOf(bytes: Buffer): Body {
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch {
    return { ok: false, status: 400, why: 'the request is no valid UTF-8' }
  }
}
