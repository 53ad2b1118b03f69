import ipaddr from 'ipaddr.js'

/** 128 bits as eight 16-bit groups, and how many leading bits count. */
interface Range6 {
  readonly parts: readonly number[]
  readonly bits: number
}

/**
 * A set of addresses and CIDR ranges. IPv4 ranges are sorted intervals, so that a long list costs a binary search and no
 * allocation. IPv4-mapped IPv6 (`::ffff:10.0.0.1`, RFC 4291 2.5.5.2) counts as the IPv4 address, in ranges and in questions.
 */
export class AddressSet {
  readonly #starts: Float64Array
  readonly #ends: Float64Array
  readonly #ranges6: readonly Range6[]

  /** Throws when a range cannot be read; the config check has refused those before. */
  constructor(ranges: readonly string[]) {
    const intervals: [number, number][] = []
    const ranges6: Range6[] = []
    for (const range of ranges) addRange(range, intervals, ranges6)
    const merged = mergeIntervals(intervals)
    this.#starts = Float64Array.from(merged, ([start]) => start)
    this.#ends = Float64Array.from(merged, ([, end]) => end)
    this.#ranges6 = ranges6
  }

  /** Whether the address is in one of the ranges. Text that is no address ('' for a unix socket) is in none. */
  has(address: string): boolean {
    const number = parseIpv4(address, address.startsWith('::ffff:') ? 7 : 0)
    if (number >= 0) return this.#has4(number)
    if (!address.includes(':') || !ipaddr.IPv6.isValid(address)) return false
    const parsed = ipaddr.IPv6.parse(address)
    if (parsed.isIPv4MappedAddress()) return this.#has4(lastTwoParts(parsed.parts))
    return this.#ranges6.some((range) => isInRange6(parsed.parts, range))
  }

  #has4(number: number): boolean {
    let low = 0
    let high = this.#starts.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#starts[middle] as number) <= number) low = middle + 1
      else high = middle
    }
    return low > 0 && number <= (this.#ends[low - 1] as number)
  }
}

/** Dotted decimal from position `from` on, as an unsigned number; -1 when the text is anything else. */
function parseIpv4(text: string, from: number): number {
  let value = 0
  let octet = -1
  let dots = 0
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 46 && octet >= 0 && dots < 3) {
      value = value * 256 + octet
      octet = -1
      dots++
    } else if (code >= 48 && code <= 57 && octet !== 0) {
      octet = octet < 0 ? code - 48 : octet * 10 + code - 48
      if (octet > 255) return -1
    } else return -1
  }
  return dots === 3 && octet >= 0 ? value * 256 + octet : -1
}

function addRange(text: string, intervals: [number, number][], ranges6: Range6[]): void {
  const [address, bits] = parseRange(text)
  if (address.kind() === 'ipv4') intervals.push(intervalOf(parseIpv4(address.toString(), 0), bits))
  else {
    const parts = (address as ipaddr.IPv6).parts
    const isMapped = (address as ipaddr.IPv6).isIPv4MappedAddress() && bits >= 96
    if (isMapped) intervals.push(intervalOf(lastTwoParts(parts), bits - 96))
    else ranges6.push({ parts, bits })
  }
}

function parseRange(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  if (text.includes('/')) return ipaddr.parseCIDR(text)
  const address = ipaddr.parse(text)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

function intervalOf(address: number, bits: number): [number, number] {
  const size = 2 ** (32 - bits)
  const start = Math.floor(address / size) * size
  return [start, start + size - 1]
}

function mergeIntervals(intervals: [number, number][]): [number, number][] {
  const merged: [number, number][] = []
  for (const [start, end] of intervals.sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1)
    if (last !== undefined && start <= last[1] + 1) last[1] = Math.max(last[1], end)
    else merged.push([start, end])
  }
  return merged
}

function lastTwoParts(parts: readonly number[]): number {
  return (parts[6] as number) * 65536 + (parts[7] as number)
}

function isInRange6(parts: readonly number[], range: Range6): boolean {
  let left = range.bits
  for (let i = 0; left > 0; i++, left -= 16) {
    const mask = left >= 16 ? 0xffff : (0xffff << (16 - left)) & 0xffff
    if ((((parts[i] as number) ^ (range.parts[i] as number)) & mask) !== 0) return false
  }
  return true
}
