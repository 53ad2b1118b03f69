import { isLoopback, parseBindAddress } from './address.ts'
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

/** `host:port` of this machine only: what answers there asks nobody who he is. */
export function parseLoopbackAddress(text: string): Parsed<TcpAddress> {
  const result = parseBindAddress(text)
  if (!result.ok) return result
  const address = result.value
  if (address.kind === 'unix' || address.port !== address.lastPort) return expected('a loopback address with one port', text)
  if (isLoopback(address.host)) return parsed(address)
  return refused(`expected a loopback address, found "${text}"`, `write "127.0.0.1:${address.port}" or "[::1]:${address.port}"`)
}
