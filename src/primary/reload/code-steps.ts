import { relative } from 'node:path'
import type { Config } from '../../shared/config/model.ts'
import { changedFiles, type PinnedModule } from '../../shared/config/pinned.ts'
import type { PlanStep } from '../../shared/control/data.ts'

/**
 * The files of a TypeScript config whose text differs. `planOf` compares functions by their own text, so it cannot see that what they
 * import does something else now; a reload has to be applied for these steps, too. None where the config has no function, and for
 * configs that are no programs, which are null.
 */
export function codeSteps(before: PinnedModule | null, after: PinnedModule | null, config: Config): PlanStep[] {
  if (before === null || after === null || !holdsFunctions(config)) return []
  return changedFiles(before, after).map((path) => {
    const name = path === after.main ? after.path : relative(process.cwd(), path)
    return {
      how: 'live',
      what: 'change',
      at: '',
      text: `code of ${name} changed: functions run it from the next request on`,
      connections: 0,
    }
  })
}

function holdsFunctions({ listeners, upstreams }: Config): boolean {
  const routes = listeners.flatMap((listener) => listener.routes)
  return (
    routes.some((route) => route.onRequest ?? route.onConnection ?? route.pick) ||
    upstreams.some(({ hash }) => hash?.key.from === 'function')
  )
}
