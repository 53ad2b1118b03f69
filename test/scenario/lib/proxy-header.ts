/** PROXY headers made by hand, as a proxy in front of the balancer would send them, right or wrong. */
import { isIPv6 } from 'node:net'

export interface Endpoints {
  source: string
  sourcePort: number
  destination: string
  destinationPort: number
}

export interface V2Options {
  /** Addresses of a PROXY header; without them the family is UNSPEC. */
  endpoints?: Endpoints
  command?: 'proxy' | 'local'
  /** Type and value, in this order; text is latin1. */
  tlvs?: [type: number, value: string | Buffer][]
  /** Adds a CRC32c TLV at the end; `wrong` is off by one bit. */
  checksum?: 'right' | 'wrong'
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const CHECKSUM_TYPE = 0x03

/** Documentation addresses, so that none can be taken for one of this machine. */
export const V4: Endpoints = { source: '203.0.113.7', sourcePort: 40_001, destination: '198.51.100.2', destinationPort: 8443 }
export const V6: Endpoints = { source: '2001:db8::7', sourcePort: 40_002, destination: '2001:db8::2', destinationPort: 8444 }

/** A version 1 line with its CRLF. */
export function lineOf({ source, sourcePort, destination, destinationPort }: Endpoints): string {
  return `PROXY TCP${isIPv6(source) ? 6 : 4} ${source} ${destination} ${sourcePort} ${destinationPort}\r\n`
}

/** A version 2 header. */
export function binaryOf({ endpoints, command = 'proxy', tlvs = [], checksum }: V2Options): Buffer {
  const family = endpoints === undefined ? 0x00 : isIPv6(endpoints.source) ? 0x21 : 0x11
  const parts = [endpoints === undefined ? Buffer.alloc(0) : addressesOf(endpoints), ...tlvs.map(([type, value]) => tlv(type, value))]
  if (checksum !== undefined) parts.push(tlv(CHECKSUM_TYPE, Buffer.alloc(4)))
  const header = framed(command === 'proxy' ? 0x21 : 0x20, family, Buffer.concat(parts))
  if (checksum !== undefined) header.writeUInt32BE((crc32c(header) ^ (checksum === 'wrong' ? 1 : 0)) >>> 0, header.length - 4)
  return header
}

/** The signature, version and command, family, the payload's length (or another that is claimed), and the payload. */
export function framed(command: number, family: number, payload: Buffer, length = payload.length): Buffer {
  return Buffer.concat([SIGNATURE, Buffer.from([command, family, length >> 8, length & 0xff]), payload])
}

function addressesOf({ source, sourcePort, destination, destinationPort }: Endpoints): Buffer {
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(sourcePort, 0)
  ports.writeUInt16BE(destinationPort, 2)
  return Buffer.concat([bytesOf(source), bytesOf(destination), ports])
}

function bytesOf(ip: string): Buffer {
  if (!isIPv6(ip)) return Buffer.from(ip.split('.').map(Number))
  const [before = '', after] = ip.split('::')
  const groups = (text: string) => text.split(':').filter((group) => group !== '')
  const front = groups(before)
  const back = after === undefined ? [] : groups(after)
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0')
  return Buffer.from([...front, ...zeros, ...back].map((group) => group.padStart(4, '0')).join(''), 'hex')
}

function tlv(type: number, value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value
  return Buffer.concat([Buffer.from([type, bytes.length >> 8, bytes.length & 0xff]), bytes])
}

/** CRC32c bit by bit (RFC 3720 appendix B.4), so that it shares nothing with the balancer's table. */
function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}
