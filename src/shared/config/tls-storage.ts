import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where certificates are kept that weir gets or makes itself, unless the config names a folder. Nothing is created here. */
export function storageOf(name: 'acme' | 'internal-ca', env: Record<string, string | undefined> = process.env): string {
  // systemd names several folders in one variable.
  const [ofService = ''] = (env['STATE_DIRECTORY'] ?? '').split(':')
  if (ofService !== '') return join(ofService, name)
  if (process.getuid?.() === 0) return join('/var/lib/weir', name)
  const { XDG_STATE_HOME: state = '' } = env
  return join(state.startsWith('/') ? state : join(homedir(), '.local/state'), 'weir', name)
}
