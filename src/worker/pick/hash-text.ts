const { imul } = Math

/** Spreads every bit of a 32-bit number over all of them; the last step of MurmurHash3. */
export function mix32(value: number): number {
  let h = value ^ (value >>> 16)
  h = imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** 32 bits of a text from code unit `from` on; other seeds give independent hashes. FNV-1a with a final mix. */
export function hashText(text: string, seed: number, from = 0): number {
  let h = 0x811c9dc5 ^ mix32(seed)
  for (let i = from; i < text.length; i++) h = imul(h ^ text.charCodeAt(i), 0x01000193)
  return mix32(h)
}

const MAPPED = '::ffff:'

/** Where the address begins: the IPv4 address that an IPv6 socket reports as ::ffff:192.0.2.1 is the same client. */
export function addressStart(clientIp: string): number {
  return clientIp.startsWith(MAPPED) && clientIp.includes('.', MAPPED.length) ? MAPPED.length : 0
}
