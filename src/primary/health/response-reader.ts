/**
 * Reads one response to a check (RFC 9112): strictly, because garbage must not pass for health, and within bounds, because a server
 * that floods must cost nothing but itself. Pure: bytes in, an outcome out.
 */

/** What is kept of a body at most, to be searched. */
const KEPT_BYTES = 65_536
/** Longest body, framing of chunks and trailers included. */
const MOST_BODY_BYTES = 1_048_576
const MOST_HEAD_BYTES = 16_384
const MOST_LINE_BYTES = 1_024
const MOST_INTERIM_ANSWERS = 8

export type ReadOutcome = { at: 'more' } | { at: 'whole' } | { at: 'fault'; reason: string }

type Framing =
  | { kind: 'length'; left: number }
  | { kind: 'until-close' }
  /** `line` is the part of a size line or trailer that came so far. */
  | { kind: 'chunked'; at: 'size' | 'data' | 'data-end' | 'trailer'; left: number; line: string }

const more: ReadOutcome = { at: 'more' }
const whole: ReadOutcome = { at: 'whole' }
const fieldName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

export class ResponseReader {
  readonly #isHead: boolean
  readonly #keepsBody: boolean
  #head = ''
  #interim = 0
  #status: number | null = null
  #framing: Framing | null = null
  #bodyBytes = 0
  #kept: Buffer[] = []
  #keptBytes = 0
  #isReusable = false
  #idleMs: number | null = null

  constructor(request: { method: string; keepsBody: boolean }) {
    this.#isHead = request.method === 'HEAD'
    this.#keepsBody = request.keepsBody
  }

  /** null before the final head. */
  get status(): number | null {
    return this.#status
  }

  /** Once whole: the connection may carry the next request. */
  get isReusable(): boolean {
    return this.#isReusable
  }

  /** How long the server said that it keeps an idle connection. */
  get idleMs(): number | null {
    return this.#idleMs
  }

  /** The first 64 KiB. */
  body(): Buffer {
    return Buffer.concat(this.#kept)
  }

  /** Takes bytes, which are borrowed for the length of the call. After `whole` or `fault` nothing more may be given. */
  push(bytes: Buffer): ReadOutcome {
    return this.#framing === null ? this.#takeHead(bytes) : this.#takeBody(bytes)
  }

  /** The connection ended. */
  close(): ReadOutcome {
    if (this.#framing?.kind === 'until-close') {
      this.#isReusable = false
      return whole
    }
    if (this.#status !== null) return fault('the answer broke off')
    return fault(this.#head === '' ? 'closed without an answer' : 'closed within the head of the answer')
  }

  #takeHead(bytes: Buffer): ReadOutcome {
    const before = this.#head.length
    this.#head += bytes.toString('latin1', 0, Math.min(bytes.length, MOST_HEAD_BYTES + 4 - before))
    const end = this.#head.indexOf('\r\n\r\n', Math.max(0, before - 3))
    if (end < 0) return this.#awaitHead()
    const lines = this.#head.slice(0, end).split('\r\n')
    const rest = bytes.subarray(end + 4 - before)
    this.#head = ''
    return this.#readHead(lines, rest)
  }

  /** What cannot become a head is refused at once, however slowly it comes. */
  #awaitHead(): ReadOutcome {
    if (!this.#head.startsWith('HTTP/1.'.slice(0, this.#head.length))) return fault('no HTTP answer')
    return this.#head.length > MOST_HEAD_BYTES ? fault('the head of the answer is longer than 16 KiB') : more
  }

  #readHead(lines: string[], rest: Buffer): ReadOutcome {
    const start = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [^\r\n\0]*)?$/.exec(lines[0] ?? '')
    if (start === null) return fault('no HTTP answer')
    const fields = readFields(lines)
    if (fields === null) return fault('no valid head in the answer')
    const status = Number(start[2])
    if (status === 101) return fault('it switched to another protocol')
    if (status < 200) {
      this.#interim++
      return this.#interim > MOST_INTERIM_ANSWERS ? fault('too many interim answers') : this.#takeHead(rest)
    }
    this.#status = status
    this.#isReusable = start[1] === '1' && !/\bclose\b/i.test(fields.get('connection') ?? '')
    const idle = /\btimeout=(\d{1,6})/i.exec(fields.get('keep-alive') ?? '')?.[1]
    this.#idleMs = idle === undefined ? null : Number(idle) * 1000
    return this.#frame(status, fields, start[1] === '1', rest)
  }

  /** RFC 9112 section 6.3. */
  #frame(status: number, fields: Map<string, string>, isVersion11: boolean, rest: Buffer): ReadOutcome {
    const coding = fields.get('transfer-encoding')
    const length = fields.get('content-length')
    if (coding !== undefined && (length !== undefined || !isVersion11 || coding.toLowerCase() !== 'chunked'))
      return fault('no valid framing of the answer')
    if (length !== undefined && !/^\d{1,15}$/.test(length)) return fault('no valid framing of the answer')
    if (this.#isHead || status === 204 || status === 304) return this.#finish(rest.length)
    if (coding !== undefined) this.#framing = { kind: 'chunked', at: 'size', left: 0, line: '' }
    else this.#framing = length === undefined ? { kind: 'until-close' } : { kind: 'length', left: Number(length) }
    if (length !== undefined && Number(length) > MOST_BODY_BYTES) return tooLong()
    return this.#takeBody(rest)
  }

  #takeBody(bytes: Buffer): ReadOutcome {
    const framing = this.#framing as Framing
    if (framing.kind === 'chunked') return this.#takeChunks(framing, bytes)
    const taken = framing.kind === 'length' ? Math.min(framing.left, bytes.length) : bytes.length
    this.#keep(bytes, 0, taken)
    this.#bodyBytes += taken
    if (this.#bodyBytes > MOST_BODY_BYTES) return tooLong()
    if (framing.kind === 'until-close') return more
    framing.left -= taken
    return framing.left === 0 ? this.#finish(bytes.length - taken) : more
  }

  #takeChunks(framing: Framing & { kind: 'chunked' }, bytes: Buffer): ReadOutcome {
    this.#bodyBytes += bytes.length
    if (this.#bodyBytes > MOST_BODY_BYTES) return tooLong()
    for (let at = 0; at < bytes.length; ) {
      if (framing.at === 'data') {
        const taken = Math.min(framing.left, bytes.length - at)
        this.#keep(bytes, at, at + taken)
        at += taken
        framing.left -= taken
        if (framing.left === 0) framing.at = 'data-end'
        continue
      }
      const end = bytes.indexOf(10, at)
      framing.line += bytes.toString('latin1', at, Math.min(end < 0 ? bytes.length : end + 1, at + MOST_LINE_BYTES + 1))
      if (framing.line.length > MOST_LINE_BYTES) return fault('no valid chunks in the answer')
      if (end < 0) return more
      at = end + 1
      const line = framing.line
      framing.line = ''
      if (!line.endsWith('\r\n') || !advance(framing, line.slice(0, -2))) return fault('no valid chunks in the answer')
      if (framing.at === 'trailer' && line === '\r\n') return this.#finish(bytes.length - at)
    }
    return more
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    const end = Math.min(to, from + KEPT_BYTES - this.#keptBytes)
    if (!this.#keepsBody || end <= from) return
    this.#kept.push(Buffer.from(bytes.subarray(from, end)))
    this.#keptBytes += end - from
  }

  #finish(surplusBytes: number): ReadOutcome {
    // Bytes that nobody asked for would be taken for the next answer.
    if (surplusBytes > 0) this.#isReusable = false
    return whole
  }
}

/** Reads the line that ends a piece of framing. False: it is none. */
function advance(framing: Framing & { kind: 'chunked' }, line: string): boolean {
  if (framing.at === 'data-end') {
    framing.at = 'size'
    return line === ''
  }
  if (framing.at === 'trailer') return line === '' || fieldName.test(line.slice(0, Math.max(0, line.indexOf(':'))))
  const size = /^([0-9A-Fa-f]{1,8})(?:[ \t]*;[^\r\n\0]*)?$/.exec(line)?.[1]
  if (size === undefined) return false
  framing.left = Number.parseInt(size, 16)
  framing.at = framing.left === 0 ? 'trailer' : 'data'
  return true
}

/** Names in lower case; fields of the same name are joined by a comma. Null when a line is no field. */
function readFields(lines: string[]): Map<string, string> | null {
  const fields = new Map<string, string>()
  for (let at = 1; at < lines.length; at++) {
    const line = lines[at] as string
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon)).toLowerCase()
    // Values may hold anything but what ends a line or a string.
    if (!fieldName.test(name) || line.includes('\n') || line.includes('\r') || line.includes('\0')) return null
    const value = line.slice(colon + 1).trim()
    const known = fields.get(name)
    fields.set(name, known === undefined || (name === 'content-length' && known === value) ? value : `${known}, ${value}`)
  }
  return fields
}

function fault(reason: string): ReadOutcome {
  return { at: 'fault', reason }
}

function tooLong(): ReadOutcome {
  return fault('the answer is longer than 1 MiB')
}
