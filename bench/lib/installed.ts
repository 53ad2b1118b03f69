/** Which programs there are on this machine. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

// Debian keeps servers where only root looks for programs.
const serverFolders = ['/usr/sbin', '/usr/local/sbin']

/** Makes servers startable by name for users who are not root, too. Called once, by the suite. */
export function findServers(): void {
  process.env['PATH'] = [process.env['PATH'] ?? '', ...serverFolders].join(':')
}

/** Null when the program is found, else a sentence with the Debian package to install. */
export function notInstalled(program: string, debianPackage: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(':'), ...serverFolders]
  if (folders.some((folder) => folder !== '' && existsSync(join(folder, program)))) return null
  return `${program} is not installed: apt install ${debianPackage}`
}
