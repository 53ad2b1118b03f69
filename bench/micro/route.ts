// How many nanoseconds of CPU does a route lookup take with 1, 100 and 10,000 routes?
import type { Match, RouteConfig } from '../../src/shared/config/model.ts'
import type { HeadReader } from '../../src/worker/route/head-reader.ts'
import { compileRouter } from '../../src/worker/route/router.ts'
import type { Step } from './step.ts'

const counts = [1, 100, 10_000]

const head: HeadReader = {
  method: 'GET',
  query: '',
  clientIp: '192.0.2.1',
  localPort: 80,
  sni: '',
  alpn: [],
  header: () => undefined,
  proxyTlv: () => undefined,
}

interface Shape {
  match(i: number): Match
  host(i: number): string
  path(i: number): string
}

const shapes: Record<string, Shape> = {
  'prefixes of one host': {
    match: (i) => ({ host: ['api.example.com'], path: [{ kind: 'prefix', value: `/service-${pad(i)}/` }] }),
    host: () => 'api.example.com',
    path: (i) => `/service-${pad(i)}/users/42`,
  },
  'exact paths of one host': {
    match: (i) => ({ path: [{ kind: 'exact', value: `/service-${pad(i)}/users` }] }),
    host: () => 'api.example.com',
    path: (i) => `/service-${pad(i)}/users`,
  },
  'one prefix per host': {
    match: (i) => ({ host: [`h${pad(i)}.example.com`], path: [{ kind: 'prefix', value: '/service/' }] }),
    host: (i) => `h${pad(i)}.example.com`,
    path: () => '/service/users/42',
  },
}

/** Every shape of a table with every number of routes. */
export function routeSteps(): Step[] {
  return Object.entries(shapes).flatMap(([name, shape]) =>
    counts.map((count): Step => ({ title: `${name}, ${count} routes`, prepare: () => prepare(shape, count) })),
  )
}

function prepare(shape: Shape, count: number): (times: number) => void {
  const router = compileRouter(Array.from({ length: count }, (_, i) => routeFor(shape.match(i))))
  // A client's traffic is spread over many routes, and the paths are new strings: 1,000 of each.
  const hosts = Array.from({ length: 1000 }, (_, i) => router.hostRoutes(shape.host(routeOf(i, count))))
  const paths = Array.from({ length: 1000 }, (_, i) => Buffer.from(shape.path(routeOf(i, count))).toString('latin1'))
  return (times) => {
    for (let i = 0, at = 0; i < times; i++, at = at === 999 ? 0 : at + 1) {
      if (hosts[at]?.find(paths[at] as string, head) === undefined) throw new Error('no route')
    }
  }
}

function routeOf(i: number, count: number): number {
  return (i * 7919) % count
}

function pad(i: number): string {
  return String(i).padStart(5, '0')
}

function routeFor(match: Match): RouteConfig {
  return {
    place: { path: 'bench', line: 1 },
    match,
    action: { kind: 'forward', split: [{ upstream: 'a', share: 1 }] },
    rewrite: { stripPrefix: null, addPrefix: null, regex: null },
    headers: { request: { set: [], add: [], remove: [] }, response: { set: [], add: [], remove: [] } },
    host: 'preserve',
    errorPages: {},
    timeouts: {},
    retry: {},
  }
}
