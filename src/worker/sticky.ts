import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { cookieValue } from './route/parameters.ts'

export interface StickyServer {
  slot: number
  /** `upstream/server`: what a user is bound to, whatever row or address it has. */
  id: string
}

/**
 * Cookie affinity. The cookie is a keyed hash of the server's identity (HMAC-SHA-256, RFC 2104, 128 bits), so that nobody can make one
 * up, nothing of the fleet is told, and it means the same after a reload or a restart and on every balancer with the same secret.
 */
export class Sticky {
  readonly cookie: string
  readonly #maxAge: number
  readonly #slots = new Map<string, number>()
  readonly #tokens = new Map<number, string>()

  constructor(config: { cookie: string; ttlMs: number; secret: string | null }, servers: readonly StickyServer[]) {
    this.cookie = config.cookie
    this.#maxAge = Math.ceil(config.ttlMs / 1000)
    const secret = config.secret ?? machineSecret()
    for (const { slot, id } of servers) {
      const token = createHmac('sha256', secret).update(id).digest().subarray(0, 16).toString('base64url')
      this.#slots.set(token, slot)
      this.#tokens.set(slot, token)
    }
  }

  /** The server that this client is bound to, -1 for none. A cookie that is forged, or of a server that is no more, binds to nobody. */
  slotOf(cookies: string | undefined): number {
    const value = cookies === undefined ? undefined : cookieValue(cookies, this.cookie)
    return value === undefined ? -1 : (this.#slots.get(value) ?? -1)
  }

  /** The value of Set-Cookie that binds a client to this server. */
  setCookie(slot: number): string {
    return `${this.cookie}=${this.#tokens.get(slot) ?? ''}; Path=/; Max-Age=${this.#maxAge}; HttpOnly; SameSite=Lax`
  }
}

let known: string | undefined

/** The same for all processes of this machine, also after a restart. Several balancers need a secret in their config. */
function machineSecret(): string {
  if (known === undefined) {
    try {
      known = `weir ${readFileSync('/etc/machine-id', 'latin1').trim()}`
    } catch {
      known = `weir ${hostname()}`
    }
  }
  return known
}
