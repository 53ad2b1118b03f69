import type { LoadResult } from './load.ts'
import type { Config } from './model.ts'

/**
 * Puts the functions of a TypeScript config back into a copy that came from another process. Throws an Error when the file
 * changed meanwhile, so that a route never runs another route's function.
 */
export function restoreFunctions(config: Config, loaded: LoadResult): void {
  if (!loaded.ok) throw new Error(`${config.source} no longer loads: ${loaded.problems[0]?.message ?? 'unknown problem'}`)
  if (JSON.stringify(loaded.config.listeners) !== JSON.stringify(config.listeners))
    throw new Error(`${config.source} gives another config here than in the primary: it may depend on the time, or on chance`)
  config.listeners.forEach((listener, i) => {
    listener.routes.forEach((route, j) => {
      const original = loaded.config.listeners[i]?.routes[j]
      if (original?.onRequest !== undefined) route.onRequest = original.onRequest
      if (original?.onConnection !== undefined) route.onConnection = original.onConnection
      if (original?.pick !== undefined) route.pick = original.pick
    })
  })
  // Their servers may differ: some were discovered, or added by a command.
  for (const { name, hash } of config.upstreams) {
    const key = loaded.config.upstreams.find((upstream) => upstream.name === name)?.hash?.key
    if (hash !== null && key?.from === 'function') hash.key = key
  }
}

/** A copy without functions, which can be sent to another process. */
export function withoutFunctions(config: Config): Config {
  return JSON.parse(JSON.stringify(config)) as Config
}
