import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'

const MOST_BYTES = 64 * 1024
const WITHIN_MS = 10_000

/** Sends a request (RFC 6960 A.1) and answers the body. @throws with the reason in words */
export function askResponder(url: string, body: Buffer, signal: AbortSignal): Promise<Buffer> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/ocsp-request', Accept: 'application/ocsp-response', 'Content-Length': body.length }
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)])
    const asked = request(url, { method: 'POST', headers, signal: deadline, agent: false }, (response) => {
      const parts: Buffer[] = []
      let length = 0
      response.on('data', (part: Buffer) => {
        length += part.length
        if (length > MOST_BYTES) response.destroy(new Error(`its answer has more than ${MOST_BYTES / 1024} KiB`))
        parts.push(part)
      })
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(parts))
        else reject(new Error(`it answers with status ${response.statusCode}`))
      })
      response.on('error', (error) => reject(worded(error)))
    })
    asked.on('error', (error) => reject(worded(error)))
    asked.end(body)
  })
}

function worded(error: NodeJS.ErrnoException): Error {
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return new Error(`it did not answer within ${WITHIN_MS / 1000} s`)
  return error.code === 'ECONNREFUSED' ? new Error('it refuses connections') : error
}
