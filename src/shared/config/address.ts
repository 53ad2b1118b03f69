import ipaddr from 'ipaddr.js'
import type { BindAddress, PortRange, ServerAddress } from './model.ts'
import { expected, type Parsed, parsed, refused } from './parsed.ts'
import { countPorts, parsePortRange } from './port-range.ts'

const bindForms = 'an address to listen on: host:port, [IPv6]:port, :port or unix:/path'
const serverForms = 'an address: host:port, [IPv6]:port or unix:/path'
/** One byte less than `sun_path` of Linux, for the closing NUL. */
const longestUnixPath = 107
const mostPortsOfRange = 1000

/**
 * `host:port`, `[IPv6]:port`, `:port` (every address) or `unix:/path`. Port 0 lets the system choose one; in place of a port a
 * range `first-last` of at most 1,000 ports may stand.
 */
export function parseBindAddress(text: string): Parsed<BindAddress> {
  if (/^\d+(-\d+)?$/.test(text)) return expected(bindForms, text, `write ":${text}" to listen on every address`)
  if (/^\*:\d+(-\d+)?$/.test(text)) return expected(bindForms, text, `write "${text.slice(1)}" to listen on every address`)
  return parseAddress(text, { forms: bindForms, parsePorts: parseBindPorts, mayOmitHost: true })
}

/** `host:port`, `[IPv6]:port` or `unix:/path`. Ports are 1 to 65535. */
export function parseServerAddress(text: string): Parsed<ServerAddress> {
  if (/^https?:\/\//i.test(text)) return expected(serverForms, text, 'write the address without a scheme')
  const result = parseAddress(text, { forms: serverForms, parsePorts: (port) => parsePort(port, 1), mayOmitHost: false })
  if (!result.ok || result.value.kind === 'unix') return result as Parsed<ServerAddress>
  const { host, port } = result.value
  return parsed({ kind: 'tcp', host, port, text })
}

/** An IP address, or a range in CIDR notation whose prefix length fits its family. */
export function parseAddressRange(text: string): Parsed<string> {
  const [address = '', bits, ...rest] = text.split('/')
  const family = ipFamily(address)
  if (family === null || rest.length > 0) return expected('an IP address or a CIDR range such as 10.0.0.0/8', text)
  if (bits === undefined) return parsed(text)
  const most = family === 4 ? 32 : 128
  const valid = /^\d{1,3}$/.test(bits) && Number(bits) <= most
  return valid ? parsed(text) : expected(`a prefix length from 0 to ${most}`, bits)
}

/** 4, 6, or null for what is no IP address in its usual notation (no octal, no zone). */
export function ipFamily(text: string): 4 | 6 | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return 4
  return text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text) ? 6 : null
}

/** Whether a host of an address is this machine itself: 127.0.0.0/8, ::1 or localhost. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true
  return ipFamily(host) !== null && ipaddr.process(host).range() === 'loopback'
}

/** A host name as RFC 1123 allows it, with underscores, which container networks use. */
export function isHostName(text: string): boolean {
  if (text.length === 0 || text.length > 253) return false
  const labels = text.replace(/\.$/, '').split('.')
  // A name whose last label is a number is a mistyped IPv4 address, and resolvers would read it as one.
  return labels.every((label) => /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '')
}

interface AddressRules {
  forms: string
  parsePorts: (text: string) => Parsed<PortRange>
  mayOmitHost: boolean
}

function parseAddress(text: string, rules: AddressRules): Parsed<BindAddress> {
  if (text.startsWith('unix:')) return parseUnixPath(text)
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(text)
  if (!match) return expected(rules.forms, text, missing(text))
  const host = match[1] ?? match[2] ?? ''
  if (!isValidHost(host, match[1] !== undefined, rules)) return expected(rules.forms, text)
  const ports = rules.parsePorts(match[3] ?? '')
  return ports.ok ? parsed({ kind: 'tcp', host, port: ports.value.first, lastPort: ports.value.last, text }) : ports
}

function parseBindPorts(text: string): Parsed<PortRange> {
  if (!text.includes('-')) return parsePort(text, 0)
  const range = parsePortRange(text)
  if (!range.ok || countPorts(range.value) <= mostPortsOfRange) return range
  return refused(`a range has at most ${mostPortsOfRange} ports, found ${countPorts(range.value)} in ${text}`, 'write several ranges')
}

function parsePort(text: string, least: number): Parsed<PortRange> {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < least || port > 65_535) return expected(`a port from ${least} to 65535`, text)
  return parsed({ first: port, last: port })
}

function isValidHost(host: string, isBracketed: boolean, rules: AddressRules): boolean {
  if (isBracketed) return ipFamily(host) === 6
  if (host === '') return rules.mayOmitHost
  return ipFamily(host) === 4 || isHostName(host)
}

function missing(text: string): string | null {
  if (ipFamily(text) === 6) return `write "[${text}]:8080", the address in brackets and a port`
  return ipFamily(text) === 4 || isHostName(text) ? `add the port: "${text}:8080"` : null
}

function parseUnixPath(text: string): Parsed<BindAddress> {
  const path = text.slice('unix:'.length)
  if (!path.startsWith('/') || path.includes('\0')) return expected('an absolute path after unix:, such as unix:/run/web.sock', text)
  if (Buffer.byteLength(path) > longestUnixPath) return refused(`the path of a socket has at most ${longestUnixPath} bytes`)
  return parsed({ kind: 'unix', path, text })
}
