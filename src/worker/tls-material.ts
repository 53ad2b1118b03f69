/** Tells the engine of certificates and keys: only what is other than before. */
import type { Engine } from '../native/contract.ts'
import type { TlsMaterial } from '../shared/ipc/tls-material.ts'

export type TlsEngine = Pick<Engine, 'setListenerTls' | 'setServerTls' | 'setTicketKeys'>

/** Who has which row of the board. */
export interface TlsRows {
  /** Rows by listener name. */
  listeners: ReadonlyMap<string, number>
  /** Rows by `upstream/server`. */
  servers: Readonly<Record<string, number>>
}

interface Applied {
  name: string
  id: string
}

interface Fault {
  text: string
  /** Nothing is in force in its place. */
  isOpen: boolean
}

export class AppliedTls {
  readonly #engine: TlsEngine
  /** By row. */
  readonly #listeners = new Map<number, Applied>()
  readonly #servers = new Map<number, Applied>()
  /** Rows whose server spoke TLS once: the next one that has the row may not. */
  readonly #secured = new Set<number>()
  #tickets = ''

  constructor(engine: TlsEngine) {
    this.#engine = engine
  }

  /**
   * Brings all of it into force that the engine takes, for the connections to come. Returns a sentence for each part that it does not
   * take and that stays as it was; they hold no secrets. Throws an Error where something would be spoken in plain then.
   */
  apply({ listeners, servers, ticketKeys }: TlsMaterial, rows: TlsRows): string[] {
    const faults: Fault[] = []
    // First, as listeners make sessions with them.
    this.#attempt(
      'session tickets',
      faults,
      () => this.#setTickets(ticketKeys),
      () => false,
    )
    for (const [name, row] of rows.listeners)
      this.#attempt(
        `listener ${name}`,
        faults,
        () => this.#setListener(name, row, listeners[name] ?? null),
        () => !this.#listeners.has(row),
      )
    this.#forgetServers(rows)
    for (const [name, row] of Object.entries(rows.servers))
      this.#attempt(
        `server ${name}`,
        faults,
        () => this.#setServer(name, row, servers[name] ?? null),
        () => !this.#servers.has(row),
      )
    const open = faults.filter(({ isOpen }) => isOpen)
    if (open.length > 0) throw new Error(open.map(({ text }) => text).join('; '))
    return faults.map(({ text }) => text)
  }

  #setTickets(keys: readonly Uint8Array[]): void {
    const text = keys.map((key) => Buffer.from(key).toString('latin1')).join('')
    if (text === this.#tickets) return
    this.#engine.setTicketKeys(keys)
    this.#tickets = text
  }

  #setListener(name: string, row: number, options: TlsMaterial['listeners'][string] | null): void {
    const before = this.#listeners.get(row)
    if (before?.id === options?.id) return
    this.#engine.setListenerTls(row, options)
    if (options === null) this.#listeners.delete(row)
    else this.#listeners.set(row, { name, id: options.id })
  }

  #setServer(name: string, row: number, options: TlsMaterial['servers'][string] | null): void {
    const before = this.#servers.get(row)
    if (before?.id === options?.id && (options !== null || !this.#secured.has(row))) return
    this.#engine.setServerTls(row, options === null ? null : { ...options.common, id: options.id, serverName: options.serverName })
    if (options === null) {
      this.#servers.delete(row)
      this.#secured.delete(row)
    } else {
      this.#servers.set(row, { name, id: options.id })
      this.#secured.add(row)
    }
  }

  /** A row that another server has now, or that was empty meanwhile, begins anew in the engine. */
  #forgetServers({ servers }: TlsRows): void {
    for (const [row, { name }] of this.#servers) if (servers[name] !== row) this.#servers.delete(row)
  }

  #attempt(what: string, faults: Fault[], work: () => void, isOpen: () => boolean): void {
    try {
      work()
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      faults.push({ text: `TLS of ${what}: ${why}`, isOpen: isOpen() })
    }
  }
}
