/** Who may ask for what: by a token in a header field, or by the cookie that a login gave. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { AdminConfig } from '../../shared/config/model.ts'

/** `operate` may also look. */
export type Level = 'view' | 'operate'

export const cookieName = 'weir_admin'

export class Access {
  readonly #secrets: { level: Level; token: string; cookie: string }[]

  constructor({ token, viewToken }: Pick<AdminConfig, 'token' | 'viewToken'>) {
    const named: [Level, string | null][] = [
      ['operate', token],
      ['view', viewToken],
    ]
    // The cookie says that its bearer knew the token, and is of no use anywhere else. It ends with the token.
    this.#secrets = named.flatMap(([level, secret]) => {
      return secret === null
        ? []
        : [{ level, token: secret, cookie: createHmac('sha256', secret).update(`weir admin ${level}`).digest('base64url') }]
    })
  }

  /** Without a token everybody may do everything. */
  get isOpen(): boolean {
    return this.#secrets.length === 0
  }

  /** What whoever sends these may do; null: nothing. A token that is wrong is not made good by a cookie. */
  levelOf({ authorization, cookie }: IncomingHttpHeaders): Level | null {
    if (this.isOpen) return 'operate'
    if (authorization !== undefined) return this.levelOfToken(/^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? '')
    const values = (cookie ?? '').split(/; */).filter((pair) => pair.startsWith(`${cookieName}=`))
    for (const value of values) {
      const found = this.#secrets.find((secret) => isSame(value.slice(cookieName.length + 1), secret.cookie))
      if (found !== undefined) return found.level
    }
    return null
  }

  levelOfToken(token: string): Level | null {
    return this.#secrets.find((secret) => isSame(token, secret.token))?.level ?? null
  }

  /** `Set-Cookie` of a login. */
  cookieFor(token: string): string {
    const value = this.#secrets.find((secret) => isSame(token, secret.token))?.cookie ?? ''
    return `${cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict`
  }
}

/** Takes the same time wherever they differ. */
function isSame(given: string, secret: string): boolean {
  const [one, other] = [given, secret].map((text) => createHmac('sha256', 'compare').update(text).digest()) as [Buffer, Buffer]
  return timingSafeEqual(one, other)
}
