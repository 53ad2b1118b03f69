import type { CheckedConfig } from './schema.ts'

type Checked = CheckedConfig['listeners'][string]['securityHeaders']
type Chosen = Exclude<Checked, 'off' | 'on'>

const usual: Chosen = {
  hsts: { maxAge: 31_536_000, includeSubdomains: false, preload: false },
  contentTypeOptions: 'nosniff',
  frameOptions: 'sameorigin',
  referrerPolicy: 'strict-origin-when-cross-origin',
}

/** Names and values of the headers, in the order in which they are sent. HSTS only over TLS (RFC 6797 7.2). */
export function buildSecurityHeaders(checked: Checked, hasTls: boolean): [string, string][] {
  if (checked === 'off') return []
  const { hsts, contentTypeOptions, frameOptions, referrerPolicy } = checked === 'on' ? usual : checked
  const headers: [string, string][] = []
  if (hasTls && hsts !== 'off') headers.push(['Strict-Transport-Security', hstsValue(hsts)])
  if (contentTypeOptions !== 'off') headers.push(['X-Content-Type-Options', contentTypeOptions])
  if (frameOptions !== 'off') headers.push(['X-Frame-Options', frameOptions.toUpperCase()])
  if (referrerPolicy !== 'off') headers.push(['Referrer-Policy', referrerPolicy])
  return headers
}

function hstsValue({ maxAge, includeSubdomains, preload }: Exclude<Chosen['hsts'], 'off'>): string {
  return `max-age=${maxAge}${includeSubdomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`
}
