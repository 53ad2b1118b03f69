/** Keeps web pages of others from using a browser that reaches us: by a name of their own, or by a form or script across sites. */
import type { IncomingHttpHeaders } from 'node:http'
import { isLoopback } from '../../shared/config/address.ts'
import type { AdminConfig } from '../../shared/config/model.ts'

/**
 * Why a request by this name is not answered; null: it is. On a loopback address, where a browser of this machine may be all that it
 * takes, only names count that nobody else can give to our address.
 */
export function hostFault({ host }: IncomingHttpHeaders, { bind, hosts }: AdminConfig): string | null {
  // HTTP/1.0 without Host is no browser.
  if (host === undefined || !isLoopback(bind.host)) return null
  const name = nameOf(host)
  if (isLoopback(name) || name === bind.host.toLowerCase() || hosts.includes(name)) return null
  return 'this name is not one of weir: use localhost, or list it in admin.hosts'
}

/** Why a request from another site is not answered; null: it is from our own page, or from no page at all. */
export function siteFault(headers: IncomingHttpHeaders): string | null {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'requests from other sites are not answered'
  const { origin, host } = headers
  if (origin === undefined) return null
  // A proxy in front may speak TLS, so the scheme does not count.
  return hostOf(origin) === host?.toLowerCase() ? null : 'requests from other origins are not answered'
}

function hostOf(origin: string): string | null {
  return /^https?:\/\/([^/?#]+)$/i.exec(origin)?.[1]?.toLowerCase() ?? null
}

/** Without port and brackets, in lower case. */
function nameOf(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(host)
  return (bracketed?.[1] ?? host.replace(/:\d*$/, '')).toLowerCase()
}
