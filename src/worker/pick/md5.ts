/**
 * MD5 (RFC 1321) of short texts without allocating, because node:crypto makes three objects and takes several microseconds
 * for each, which is as long as the rest of a request's decisions. It places keys on a ring, and protects nothing.
 */
/** Sines by which each of the 64 steps adds. */
const SINES = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0)

const block = new Int32Array(16)

/** The digest of the last text, as four little-endian words. */
export const md5Words = new Int32Array(4)

/**
 * Leaves the digest of a text from code unit `from` on in `md5Words` and answers its first word as an unsigned number. A code
 * unit up to 255 is one byte, as the header values that come as latin1; a larger one is two, the lower first.
 */
export function md5(text: string, from = 0): number {
  md5Words[0] = 0x67452301
  md5Words[1] = 0xefcdab89 | 0
  md5Words[2] = 0x98badcfe | 0
  md5Words[3] = 0x10325476
  block.fill(0)
  let bytes = 0
  for (let i = from; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    put(bytes++, unit & 0xff)
    if (unit > 0xff) put(bytes++, unit >>> 8)
  }
  finish(bytes)
  return (md5Words[0] as number) >>> 0
}

function put(at: number, byte: number): void {
  const word = (at >>> 2) & 15
  block[word] = (block[word] as number) | (byte << ((at & 3) << 3))
  if ((at & 63) === 63) compress()
}

/** Padding: a one bit, zeros, and the length in bits. */
function finish(bytes: number): void {
  put(bytes, 0x80)
  if ((bytes & 63) >= 56 && (bytes & 63) !== 63) compress()
  block[14] = bytes << 3
  block[15] = bytes >>> 29
  compress()
}

/** Adds the block to the digest and empties it. Each loop is one round, four of its sixteen steps at a time. */
function compress(): void {
  let a = md5Words[0] as number
  let b = md5Words[1] as number
  let c = md5Words[2] as number
  let d = md5Words[3] as number
  for (let i = 0; i < 16; i += 4) {
    a = turn((a + ((b & c) | (~b & d)) + added(i, i)) | 0, 7, b)
    d = turn((d + ((a & b) | (~a & c)) + added(i + 1, i + 1)) | 0, 12, a)
    c = turn((c + ((d & a) | (~d & b)) + added(i + 2, i + 2)) | 0, 17, d)
    b = turn((b + ((c & d) | (~c & a)) + added(i + 3, i + 3)) | 0, 22, c)
  }
  for (let i = 16; i < 32; i += 4) {
    a = turn((a + ((b & d) | (c & ~d)) + added(i, 5 * i + 1)) | 0, 5, b)
    d = turn((d + ((a & c) | (b & ~c)) + added(i + 1, 5 * i + 6)) | 0, 9, a)
    c = turn((c + ((d & b) | (a & ~b)) + added(i + 2, 5 * i + 11)) | 0, 14, d)
    b = turn((b + ((c & a) | (d & ~a)) + added(i + 3, 5 * i + 16)) | 0, 20, c)
  }
  for (let i = 32; i < 48; i += 4) {
    a = turn((a + (b ^ c ^ d) + added(i, 3 * i + 5)) | 0, 4, b)
    d = turn((d + (a ^ b ^ c) + added(i + 1, 3 * i + 8)) | 0, 11, a)
    c = turn((c + (d ^ a ^ b) + added(i + 2, 3 * i + 11)) | 0, 16, d)
    b = turn((b + (c ^ d ^ a) + added(i + 3, 3 * i + 14)) | 0, 23, c)
  }
  for (let i = 48; i < 64; i += 4) {
    a = turn((a + (c ^ (b | ~d)) + added(i, 7 * i)) | 0, 6, b)
    d = turn((d + (b ^ (a | ~c)) + added(i + 1, 7 * i + 7)) | 0, 10, a)
    c = turn((c + (a ^ (d | ~b)) + added(i + 2, 7 * i + 14)) | 0, 15, d)
    b = turn((b + (d ^ (c | ~a)) + added(i + 3, 7 * i + 21)) | 0, 21, c)
  }
  md5Words[0] = (md5Words[0] as number) + a
  md5Words[1] = (md5Words[1] as number) + b
  md5Words[2] = (md5Words[2] as number) + c
  md5Words[3] = (md5Words[3] as number) + d
  block.fill(0)
}

/** What step `i` adds of the sines and of the text. */
function added(i: number, word: number): number {
  return ((SINES[i] as number) + (block[word & 15] as number)) | 0
}

function turn(sum: number, bits: number, added: number): number {
  return (((sum << bits) | (sum >>> (32 - bits))) + added) | 0
}
