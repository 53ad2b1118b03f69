/** What has to be run so that this machine believes an authority, or no longer does. Pure. */

export interface TrustStep {
  /** Which store of authorities it is about. */
  store: string
  command: string[]
  /** Only root may. */
  needsRoot: boolean
}

/** What this machine has. */
export interface TrustMachine {
  /** Path of a program, or undefined. */
  find(program: string): string | undefined
  /** Where Debian keeps authorities of one's own; null: it does not. */
  debianFolder: string | null
  /** Databases of browsers, as certutil wants them: `sql:/home/anna/.pki/nssdb`. */
  nssDatabases: readonly string[]
}

export interface TrustedAuthority {
  /** Its certificate. */
  file: string
  /** What it is called in stores; the same at every call. */
  name: string
}

export function trustSteps(machine: TrustMachine, authority: TrustedAuthority, isRemoved: boolean): TrustStep[] {
  return [...systemSteps(machine, authority, isRemoved), ...browserSteps(machine, authority, isRemoved)]
}

function systemSteps({ find, debianFolder }: TrustMachine, { file, name }: TrustedAuthority, isRemoved: boolean): TrustStep[] {
  const step = (...command: string[]) => ({ store: 'system', command, needsRoot: true })
  const [update, p11Kit] = [find('update-ca-certificates'), find('trust')]
  if (debianFolder !== null && update !== undefined) {
    const copy = `${debianFolder}/${name}.crt`
    return isRemoved ? [step('rm', '-f', copy), step(update, '--fresh')] : [step('install', '-m', '0644', file, copy), step(update)]
  }
  if (p11Kit === undefined) return []
  return [isRemoved ? step(p11Kit, 'anchor', '--remove', file) : step(p11Kit, 'anchor', '--store', file)]
}

function browserSteps({ find, nssDatabases }: TrustMachine, { file, name }: TrustedAuthority, isRemoved: boolean): TrustStep[] {
  const certutil = find('certutil')
  if (certutil === undefined) return []
  return nssDatabases.map((database) => ({
    store: database,
    command: isRemoved
      ? [certutil, '-D', '-d', database, '-n', name]
      : [certutil, '-A', '-d', database, '-t', 'C,,', '-n', name, '-i', file],
    needsRoot: false,
  }))
}

/** As it is typed into a shell. */
export function shellText({ command, needsRoot }: TrustStep): string {
  const words = command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
  return `${needsRoot ? 'sudo ' : ''}${words.join(' ')}`
}
