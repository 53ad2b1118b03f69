/** Configs that differ from one step to the next: weights, routes, headers, policies, checks, timeouts, listeners, upstreams, a third server. */
export interface NamedServer {
  name: string
  address: string
}

/** Of three servers. The listener `web` and its route to `app`, whose first two servers are always there, stay what they are. */
export function changingConfig(step: number, servers: readonly NamedServer[]): Record<string, unknown> {
  const [a, b, c] = servers as [NamedServer, NamedServer, NamedServer]
  const hash = step % 5 === 0 ? { balance: 'consistent-hash', hash: { key: 'path' } } : {}
  return {
    workers: 2,
    listeners: {
      web: {
        bind: '127.0.0.1:0',
        routes: [
          { match: { path: `/only-in-${step}` }, answer: { status: 204 } },
          { match: {}, upstream: 'app', headers: { response: { set: { 'X-Step': String(step) } } } },
        ],
      },
      ...(step % 4 === 1 ? { extra: { bind: '127.0.0.1:0', upstream: 'other' } } : {}),
    },
    upstreams: {
      app: {
        servers: [{ ...a, weight: 1 + (step % 7) }, b, ...(step % 2 === 0 ? [c] : [])],
        balance: step % 3 === 0 ? 'round-robin' : 'least-connections',
        timeouts: { firstByte: `${20 + (step % 3)}s` },
        ...hash,
      },
      ...(step % 4 === 1 ? { other: { servers: [b, c], health: { http: `/healthz-${step}`, status: '200-499' } } } : {}),
    },
    shutdown: { spread: '0s' },
  }
}
