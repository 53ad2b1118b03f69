import type { Match, RouteConfig } from './model.ts'

/** Names that routes ask for, exact ones and wildcards, each once in the order of the file; what a `not` holds is none of them. */
export function namesOfRoutes(routes: readonly Pick<RouteConfig, 'match'>[]): string[] {
  return [...new Set(routes.flatMap(({ match }) => namesOf(match)))]
}

function namesOf({ host = [], sni = [], any = [], all = [] }: Match): string[] {
  const own = [...host, ...sni].filter((name) => !/^[\d.]+$|^\[/.test(name)).map((name) => name.replace(/\.$/, ''))
  return [...own, ...[...any, ...all].flatMap(namesOf)]
}
