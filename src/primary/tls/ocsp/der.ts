/** The few parts of DER (X.690) that OCSP needs. Reading trusts nothing: what is cut or oversized throws DerError. */

export class DerError extends Error {}

export interface Element {
  readonly tag: number
  /** With tag and length. */
  readonly whole: Buffer
  readonly content: Buffer
}

export const tag = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const

/** An element with these parts one after the other. */
export function element(kind: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([kind, ...lengthOf(content.length)]), content])
}

/** The element that begins at `at`. */
export function readElement(bytes: Buffer, at = 0): Element {
  const kind = byteAt(bytes, at)
  if ((kind & 0x1f) === 0x1f) throw new DerError('a tag of several bytes')
  const first = byteAt(bytes, at + 1)
  const extra = first < 0x80 ? 0 : first & 0x7f
  if (first === 0x80 || extra > 4) throw new DerError('a length that DER does not have')
  let length = extra === 0 ? first : 0
  for (let i = 0; i < extra; i++) length = length * 256 + byteAt(bytes, at + 2 + i)
  const start = at + 2 + extra
  if (start + length > bytes.length) throw new DerError('an element that is cut off')
  return { tag: kind, whole: bytes.subarray(at, start + length), content: bytes.subarray(start, start + length) }
}

/** The only element of these bytes. */
export function readWhole(bytes: Buffer): Element {
  const found = readElement(bytes)
  if (found.whole.length !== bytes.length) throw new DerError('bytes behind the end')
  return found
}

/** What a SEQUENCE or another constructed element holds. */
export function childrenOf({ content }: Element): Element[] {
  const children: Element[] = []
  for (let at = 0; at < content.length; ) {
    const child = readElement(content, at)
    children.push(child)
    at += child.whole.length
  }
  return children
}

/** The element, which has to be of this kind. */
export function expect(found: Element | undefined, kind: number): Element {
  if (found?.tag !== kind) throw new DerError(`tag ${found?.tag ?? 'none'} instead of ${kind}`)
  return found
}

/** `1.3.6.1.…` */
export function oidText(found: Element | undefined): string {
  const { content } = expect(found, tag.oid)
  const numbers: number[] = []
  let value = 0
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f)
    if (byte & 0x80) continue
    numbers.push(value)
    value = 0
  }
  const [first = 0, ...rest] = numbers
  const top = Math.min(2, Math.floor(first / 40))
  return [top, first - top * 40, ...rest].join('.')
}

/** Milliseconds since 1970 of a GeneralizedTime as RFC 5280 wants it: `20261122010800Z`. */
export function timeOf(found: Element | undefined): number {
  const text = expect(found, tag.generalizedTime).content.toString('latin1')
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z$/.exec(text)
  if (match === null) throw new DerError('a time that is none')
  const [year = 0, month = 1, ...rest] = match.slice(1).map(Number)
  return Date.UTC(year, month - 1, ...(rest as [number, number, number, number]))
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256)
  return [0x80 | bytes.length, ...bytes]
}

function byteAt(bytes: Buffer, at: number): number {
  const byte = bytes[at]
  if (byte === undefined) throw new DerError('an element that is cut off')
  return byte
}
