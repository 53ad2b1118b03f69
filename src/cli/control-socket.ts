import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { findConfig, loadConfig } from '../shared/config/load.ts'
import { renderProblems } from '../shared/config/problem.ts'
import { readYaml } from '../shared/config/read-yaml.ts'
import { defaultSocketPath, systemSocketPath } from '../shared/control/socket-path.ts'
import { CommandError, NotReachable } from './control-errors.ts'
import type { Terminal } from './terminal.ts'

export interface SocketChoice {
  socket: string | undefined
  config: string | undefined
}

type Place = Pick<Terminal, 'env' | 'cwd' | 'uid'>

/**
 * Paths where the weir that is meant may be, the likeliest first: the one that was named, else that of the config that was named or
 * lies in this folder, else the default.
 * @throws CommandError for a config that cannot be read, NotReachable where it says that there is no socket
 */
export async function socketPaths({ socket, config }: SocketChoice, { env, cwd, uid }: Place): Promise<string[]> {
  if (socket !== undefined) return [socket]
  const file = config ?? findConfig(cwd)
  const told = file === null ? null : await toldBy(file, { env, isNamed: config !== undefined })
  if (told === 'off') throw new NotReachable(`${file} says that there is no control socket (control.socket: off)`)
  if (told !== null) return [told]
  const usual = defaultSocketPath(env, uid)
  // A login of root has a runtime folder of its own, a service has none.
  return uid === 0 && usual !== systemSocketPath ? [usual, systemSocketPath] : [usual]
}

/** The path in a config, `off`, or null where it says nothing. A config with problems is still good for that. */
async function toldBy(file: string, { env, isNamed }: { env: Place['env']; isNamed: boolean }): Promise<string | null> {
  const loaded = await loadConfig(file, { ...env })
  if (loaded.ok) return loaded.config.control.isOn ? loaded.config.control.socket : 'off'
  try {
    if (['.yaml', '.yml', '.json'].includes(extname(file).toLowerCase())) return written(await readFile(file, 'utf8'), file, env)
  } catch {
    // It cannot be read, which is among the problems.
  }
  if (!isNamed) return null
  throw new CommandError({ code: 'invalid-config', message: renderProblems(loaded.problems).trimEnd(), exit: 1 })
}

function written(text: string, file: string, env: Place['env']): string | null {
  const { control } = (readYaml(text, file, { ...env }).value ?? {}) as { control?: { socket?: unknown } | null }
  return typeof control?.socket === 'string' ? control.socket : null
}
