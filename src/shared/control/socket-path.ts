import { isAbsolute, join } from 'node:path'

/** Where a weir that runs as a service of the system listens. */
export const systemSocketPath = '/run/weir.sock'

/**
 * Where the control socket is when the config says nothing: in the user's runtime folder where there is one (XDG Base Directory
 * Specification: a relative path there is to be ignored), else in /run for root, else in /tmp with the user's number in its name.
 */
export function defaultSocketPath(env: Readonly<Record<string, string | undefined>>, uid: number): string {
  const folder = env['XDG_RUNTIME_DIR'] ?? ''
  if (isAbsolute(folder)) return join(folder, 'weir.sock')
  return uid === 0 ? systemSocketPath : `/tmp/weir-${uid}.sock`
}
