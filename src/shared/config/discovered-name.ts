import { ipFamily, isHostName } from './address.ts'
import { expected, type Parsed, parsed } from './parsed.ts'

/** `name:port`: each address of the name is a server on that port, 1 to 65535. */
export function parseDnsAddress(text: string): Parsed<{ name: string; port: number }> {
  const [, name = '', digits = ''] = /^([^:[\]]*):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (ipFamily(name) === 4) return expected('a DNS name and a port', text, 'an IP address stands as "address"')
  if (isHostName(name) && port >= 1 && port <= 65_535) return parsed({ name, port })
  return expected('a DNS name and a port, such as app.internal:8080', text, isHostName(text) ? `add the port: "${text}:8080"` : null)
}

/** The name of SRV records (RFC 2782), as `_http._tcp.app.internal`. Their ports are in the records. */
export function parseSrvName(text: string): Parsed<string> {
  const hint = /:\d+$/.test(text) ? 'write it without a port, which the records hold' : null
  return isHostName(text) && ipFamily(text) === null
    ? parsed(text)
    : expected('the name of SRV records, such as _http._tcp.app.internal', text, hint)
}
