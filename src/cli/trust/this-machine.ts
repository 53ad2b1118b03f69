import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TrustMachine } from './trust-steps.ts'

/** Where administrators' programs are, which is not in everybody's PATH. */
const FURTHER_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin']
const DEBIAN_FOLDER = '/usr/local/share/ca-certificates'

/** What of it there is on this machine, for the user with this environment. */
export function thisMachine(env: Readonly<Record<string, string | undefined>>): TrustMachine {
  const folders = [...(env['PATH'] ?? '').split(delimiter), ...FURTHER_FOLDERS].filter((folder) => folder !== '')
  return {
    find: (program) => folders.map((folder) => join(folder, program)).find(isExecutable),
    debianFolder: existsSync(DEBIAN_FOLDER) ? DEBIAN_FOLDER : null,
    nssDatabases: nssDatabases(env['HOME'] ?? ''),
  }
}

/** Of Chromium and its relatives, and of each profile of Firefox. */
function nssDatabases(home: string): string[] {
  if (home === '') return []
  const profiles = join(home, '.mozilla/firefox')
  const folders = [join(home, '.pki/nssdb'), ...entriesOf(profiles).map((profile) => join(profiles, profile))]
  return folders.filter((folder) => existsSync(join(folder, 'cert9.db'))).map((folder) => `sql:${folder}`)
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
