import { type Measured, parseDuration, parseShare, parseSize, unitPatterns } from '../base/units.ts'
import { parseAddressRange, parseBindAddress, parseServerAddress } from './address.ts'
import { parseDnsAddress, parseSrvName } from './discovered-name.ts'
import { parseHashKey } from './hash-key.ts'
import {
  parseAnswerHeader,
  parseCheckHeader,
  parseCookieName,
  parseEditedHeader,
  parseHeaderName,
  parseHeaderValue,
  parseMethod,
} from './header-rules.ts'
import { parseCollectorUrl, parseLogTarget } from './log-target.ts'
import { parseAlpnName, parseErrorStatus, parseName, parseSecret, parseServerName } from './names.ts'
import { expected, type Parsed, parsed } from './parsed.ts'
import {
  parseCheckTarget,
  parseHost,
  parseHostHeader,
  parseHostPattern,
  parsePathPattern,
  parseRedirectTarget,
  parseRegex,
  parseRootedPath,
} from './patterns.ts'
import { parsePortRange } from './port-range.ts'
import { parseAbsolutePath, parseAccount, parseAdminAddress, parseSiteName, parseSocketPath, parseToken } from './process-options.ts'
import { parseErrorStatusRange, parseStatusRange } from './status-range.ts'
import {
  parseAcmeDirectory,
  parseCertificateDomain,
  parseCertificateName,
  parseTlsCipherSuites,
  parseTlsCiphers,
  parseTlsGroups,
  parseTlsName,
  parseTlsVersion,
} from './tls-kinds.ts'
import { parseTlvType } from './tlv-types.ts'
import { parseWeightShare } from './weight.ts'

/** One kind of text: how it is read, what the manual calls it, and a pattern for editors where one exists. */
interface Kind<T> {
  parse: (text: string) => Parsed<T>
  label: string
  pattern?: string
}

/** Every kind of text that an option can have. A schema row names its kind; nothing else parses a value. */
export const kinds = {
  duration: kind('duration', measured(parseDuration), unitPatterns.duration),
  size: kind('size', measured(parseSize), unitPatterns.size),
  share: kind('share', measured(parseShare), unitPatterns.share),
  bindAddress: kind('address to listen on', parseBindAddress),
  serverAddress: kind('server address', parseServerAddress),
  addressRange: kind('IP address or CIDR range', parseAddressRange),
  hostPattern: kind('host or *.domain', parseHostPattern),
  pathPattern: kind('/prefix/, =/exact or ~^/regex', parsePathPattern),
  rootedPath: kind('path', parseRootedPath),
  regex: kind('regular expression', parseRegex),
  redirectTarget: kind('path or URL', parseRedirectTarget),
  hostHeader: kind('preserve, server or a host', parseHostHeader),
  method: kind('method', parseMethod),
  headerName: kind('header name', parseHeaderName),
  editedHeader: kind('header name', parseEditedHeader),
  answerHeader: kind('header name', parseAnswerHeader),
  headerValue: kind('header value', parseHeaderValue),
  cookieName: kind('cookie name', parseCookieName),
  name: kind('name', parseName),
  serverName: kind('server name', parseServerName),
  errorStatus: kind('status from 400 to 599', parseErrorStatus),
  filePath: kind('file', parseFilled),
  portRange: kind('port or first-last', parsePortRange, '^\\d{1,5}(-\\d{1,5})?$'),
  alpnName: kind('protocol name', parseAlpnName),
  tlvType: kind('TLV type', parseTlvType),
  weightShare: kind('percentage', parseWeightShare, '^\\d{1,3}%$'),
  dnsAddress: kind('name:port', parseDnsAddress),
  srvName: kind('name of SRV records', parseSrvName),
  hashKey: kind('header:NAME, cookie:NAME, query:NAME, path, client-ip', parseHashKey),
  statusRange: kind('status or first-last', parseStatusRange, '^\\d{3}(-\\d{3})?$'),
  errorStatusRange: kind('status from 400 to 599 or first-last', parseErrorStatusRange, '^\\d{3}(-\\d{3})?$'),
  checkTarget: kind('path', parseCheckTarget),
  checkHeader: kind('header name', parseCheckHeader),
  host: kind('host', parseHost),
  secret: kind('text of at least 16 characters', parseSecret),
  filledText: kind('text', parseFilled),
  socketPath: kind('path', parseSocketPath),
  absolutePath: kind('path', parseAbsolutePath),
  adminAddress: kind('address to listen on', parseAdminAddress),
  token: kind('text of at least 16 characters', parseToken),
  siteName: kind('host name', parseSiteName),
  logTarget: kind('stdout or path', parseLogTarget),
  collectorUrl: kind('URL', parseCollectorUrl),
  account: kind('name or number', parseAccount),
  tlsVersion: kind('"1.2" or "1.3"', parseTlsVersion),
  tlsCiphers: kind('names joined by colons', parseTlsCiphers),
  tlsCipherSuites: kind('names joined by colons', parseTlsCipherSuites),
  tlsGroups: kind('names joined by colons', parseTlsGroups),
  tlsName: kind('host name or IP address', parseTlsName),
  certificateDomain: kind('domain name', parseCertificateDomain),
  certificateName: kind('host name, *.domain or IP address', parseCertificateName),
  acmeDirectory: kind('URL', parseAcmeDirectory),
  queryName: kind('query parameter', parseFilled),
  text: kind('text', parsed<string>),
}

export type KindName = keyof typeof kinds
export type KindValue<K extends KindName> = (typeof kinds)[K] extends Kind<infer V> ? V : never

function kind<T>(label: string, parse: (text: string) => Parsed<T>, pattern?: string): Kind<T> {
  return pattern === undefined ? { label, parse } : { label, parse, pattern }
}

function measured(parse: (text: string) => Measured): (text: string) => Parsed<number> {
  return (text) => {
    const result = parse(text)
    return result.ok ? parsed(result.value) : expected(result.expected, text)
  }
}

function parseFilled(text: string): Parsed<string> {
  return text === '' || text.includes('\0') ? expected('a text that is not empty', text) : parsed(text)
}
