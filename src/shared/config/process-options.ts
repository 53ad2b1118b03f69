import { isHostName, parseBindAddress } from './address.ts'
import type { BindAddress } from './model.ts'
import { expected, type Parsed, parsed, refused } from './parsed.ts'

type TcpAddress = Extract<BindAddress, { kind: 'tcp' }>

/** One byte less than `sun_path` of Linux, for the closing NUL. */
const longestSocketPath = 107
/** One less than (uid_t) -1, which means "no change". */
const largestId = 4_294_967_294

/** An absolute path. */
export function parseAbsolutePath(text: string): Parsed<string> {
  return text.startsWith('/') && !/[\0\r\n]/.test(text) ? parsed(text) : expected('an absolute path such as /run/weir.pid', text)
}

/** Where a unix socket can be. */
export function parseSocketPath(text: string): Parsed<string> {
  if (text.startsWith('unix:/')) return expected('an absolute path', text, `write "${text.slice('unix:'.length)}"`)
  if (!text.startsWith('/') || /[\0\r\n]/.test(text)) return expected('an absolute path such as /run/weir.sock, or off', text)
  if (Buffer.byteLength(text) > longestSocketPath) return refused(`the path of a socket has at most ${longestSocketPath} bytes`)
  return parsed(text)
}

/** The name of a user or a group as useradd(8) takes it, or its number. */
export function parseAccount(text: string): Parsed<string> {
  if (/^\d{1,10}$/.test(text) && Number(text) <= largestId) return parsed(text)
  return /^[A-Za-z_][\w.-]{0,31}\$?$/.test(text) ? parsed(text) : expected('the name or the number of an account', text)
}

/** `host:port` of the HTTP interface. Whether it may be reached from elsewhere is another question: see process-rules.ts. */
export function parseAdminAddress(text: string): Parsed<TcpAddress> {
  const result = parseBindAddress(text)
  if (!result.ok) return result
  const address = result.value
  if (address.kind === 'unix' || address.port !== address.lastPort)
    return expected('an address with one port, such as 127.0.0.1:9900', text)
  return parsed(address)
}

/** Who shows it can operate weir, or look at it. It travels in a header field and in a form, so it has no spaces. Messages never repeat it. */
export function parseToken(text: string): Parsed<string> {
  return /^[!-~]{16,512}$/.test(text) ? parsed(text) : refused('expected a token of 16 to 512 visible ASCII characters without spaces')
}

/** A name by which browsers know this machine, without a port. */
export function parseSiteName(text: string): Parsed<string> {
  return isHostName(text) ? parsed(text.toLowerCase()) : expected('a host name such as weir.example.com, without a port', text)
}
