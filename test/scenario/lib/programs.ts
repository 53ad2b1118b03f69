/** Programs that some scenarios run against. Where one is missing, the scenario is skipped, and its report names the program. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'node:test'

export type Program = 'nginx' | 'curl' | 'wrk' | 'chromium' | 'tmux'

const OTHER_PLACES = ['/usr/sbin', '/usr/local/sbin', '/usr/bin', '/usr/local/bin']

/** Full path of a program, or undefined. */
export function findProgram(name: Program): string | undefined {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), ...OTHER_PLACES]
  return places.map((place) => join(place, name)).find(isExecutable)
}

/** Full path of a program. When it is missing the test is marked as skipped, with the program's name, and the answer is undefined. */
export function needs(t: TestContext, name: Program): string | undefined {
  const path = findProgram(name)
  if (path === undefined) t.skip(`needs ${name}, which is not installed`)
  return path
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
