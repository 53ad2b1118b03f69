import { readFile, stat } from 'node:fs/promises'
import { isIP } from 'node:net'

/** The machine's own table of names, `/etc/hosts`: it wins over DNS, as it does for every other program. Read again when it changed. */
export class HostsFile {
  readonly #path: string
  #stamp = ''
  #table = new Map<string, string[]>()
  #reading: Promise<void> | null = null

  constructor(path = '/etc/hosts') {
    this.#path = path
  }

  /** Addresses of a name in lower case, IPv4 first; none when the file does not have it or cannot be read. */
  async addresses(name: string): Promise<string[]> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null
    })
    await this.#reading
    return this.#table.get(name) ?? []
  }

  async #read(): Promise<void> {
    try {
      const { mtimeMs, size, ino } = await stat(this.#path)
      const stamp = `${mtimeMs} ${size} ${ino}`
      if (stamp === this.#stamp) return
      this.#table = parseHosts(await readFile(this.#path, 'utf8'))
      this.#stamp = stamp
    } catch {
      this.#table = new Map()
      this.#stamp = ''
    }
  }
}

/** Names in lower case with their addresses; lines that make no sense are skipped, as resolvers do. */
export function parseHosts(text: string): Map<string, string[]> {
  const table = new Map<string, Set<string>>()
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    // Link-local addresses with a zone are left out: what they mean depends on the interface.
    if (isIP(address) === 0 || address.includes('%')) continue
    for (const name of names) {
      const key = name.toLowerCase()
      const known = table.get(key) ?? new Set()
      table.set(key, known.add(address))
    }
  }
  return new Map([...table].map(([name, addresses]) => [name, [...addresses].sort((a, b) => isIP(a) - isIP(b))]))
}
