/** A small, strict reader of HTTP/1.x responses: what a careful client would accept, and nothing else. */
import type { Reader } from './reader.ts'
import { USUAL_WAIT_MS } from './reader.ts'

export interface Head {
  version: string
  status: number
  reason: string
  headers: [string, string][]
}

export interface Response extends Head {
  /** Value of a header by its name in any case; several are joined with ', ', none is undefined. */
  header(name: string): string | undefined
  body: Buffer
  text: string
  trailers: [string, string][]
  framing: 'none' | 'length' | 'chunked' | 'close'
  /** The 1xx heads that came before. */
  interim: Head[]
}

export interface ReadOptions {
  /** Method of the request: a response to HEAD has no body. */
  method?: string
  /** Milliseconds for each wait. */
  within?: number
}

/**
 * Reads one final response with everything before it.
 * @throws Broken when the connection ends before the response is whole; Error on anything malformed
 */
export async function readResponse(reader: Reader, { method = 'GET', within = USUAL_WAIT_MS }: ReadOptions = {}): Promise<Response> {
  const interim: Head[] = []
  let head = await readHead(reader, within)
  while (head.status < 200 && head.status !== 101) {
    interim.push(head)
    head = await readHead(reader, within)
  }
  const framing = framingOf(head, method)
  const { body, trailers } = await readBody(reader, framing, lengthOf(head), within)
  return { ...head, header: (name) => headerOf(head, name), body, text: body.toString('utf8'), trailers, framing, interim }
}

/** One head, up to and with its empty line; 1xx ones too. */
export async function readHead(reader: Reader, within = USUAL_WAIT_MS): Promise<Head> {
  const text = await reader.takeUntil('\r\n\r\n', 'the end of a response head', within)
  const [statusLine = '', ...lines] = text.slice(0, -4).split('\r\n')
  const match = /^(HTTP\/1\.[01]) (\d{3}) ([\t\x20-\x7e\x80-\xff]*)$/.exec(statusLine)
  if (!match) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`)
  return { version: match[1] as string, status: Number(match[2]), reason: match[3] as string, headers: lines.map(fieldOf) }
}

export function headerOf(head: { headers: [string, string][] }, name: string): string | undefined {
  const values = head.headers.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(', ')
}

function fieldOf(line: string): [string, string] {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*$/.exec(line)
  if (!match) throw new Error(`not a header line: ${JSON.stringify(line)}`)
  return [match[1] as string, match[2] as string]
}

function framingOf(head: Head, method: string): Response['framing'] {
  const coding = headerOf(head, 'transfer-encoding')
  const length = headerOf(head, 'content-length')
  if (coding !== undefined && length !== undefined) throw new Error('a response with Transfer-Encoding and Content-Length')
  const tunnel = head.status === 101 || (method === 'CONNECT' && head.status < 300)
  if (method === 'HEAD' || tunnel || head.status === 204 || head.status === 304) return 'none'
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') throw new Error(`an unknown transfer coding: ${coding}`)
    if (head.version === 'HTTP/1.0') throw new Error('a chunked response with version HTTP/1.0')
    return 'chunked'
  }
  return length === undefined ? 'close' : 'length'
}

function lengthOf(head: Head): number {
  const length = headerOf(head, 'content-length')
  if (length !== undefined && !/^\d+$/.test(length)) throw new Error(`not a Content-Length: ${length}`)
  return Number(length ?? 0)
}

async function readBody(
  reader: Reader,
  framing: Response['framing'],
  length: number,
  within: number,
): Promise<{ body: Buffer; trailers: [string, string][] }> {
  if (framing === 'chunked') return readChunks(reader, within)
  if (framing === 'close') {
    const body = await reader.takeRest(within)
    if (reader.wasReset) throw new Error('the connection was reset in the middle of a body that ends with the connection')
    return { body, trailers: [] }
  }
  const body = framing === 'length' ? await reader.take(length, `a body of ${length} bytes`, within) : Buffer.alloc(0)
  return { body, trailers: [] }
}

async function readChunks(reader: Reader, within: number): Promise<{ body: Buffer; trailers: [string, string][] }> {
  const parts: Buffer[] = []
  for (;;) {
    const line = (await reader.takeUntil('\r\n', 'a chunk size', within)).slice(0, -2)
    if (!/^[0-9a-fA-F]{1,8}$/.test(line)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`)
    const size = Number.parseInt(line, 16)
    if (size === 0) break
    parts.push(await reader.take(size, `a chunk of ${size} bytes`, within))
    if ((await reader.take(2, 'the end of a chunk', within)).toString('latin1') !== '\r\n') throw new Error('a chunk without its end')
  }
  return { body: Buffer.concat(parts), trailers: await readTrailers(reader, within) }
}

async function readTrailers(reader: Reader, within: number): Promise<[string, string][]> {
  const trailers: [string, string][] = []
  for (;;) {
    const line = (await reader.takeUntil('\r\n', 'a trailer line', within)).slice(0, -2)
    if (line === '') return trailers
    trailers.push(fieldOf(line))
  }
}
