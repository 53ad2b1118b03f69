import { isUsable, type ServerRecord, type ServersMessage } from '../../../src/shared/ipc/server-state.ts'

/**
 * What a worker was told of servers, kept by name and without looking at how the worker keeps it: the newest word that was
 * delivered about each.
 */
export class Told {
  readonly #words = new Map<string, { version: number; record: ServerRecord | null }>()
  readonly #passes = new Map<string, { version: number; pass: number }>()
  #wholeVersion = 0

  hear({ isWhole, version, servers, removed, breakers }: ServersMessage): void {
    for (const gone of removed) this.#note(gone.server, gone.version, null)
    for (const record of servers) this.#note(record.server, record.version, record)
    for (const state of breakers) this.#notePass(state.upstream, state.version, state.pass)
    if (!isWhole || version <= this.#wholeVersion) return
    const open = new Set(breakers.map(({ upstream }) => upstream))
    for (const upstream of this.#passes.keys()) if (!open.has(upstream)) this.#notePass(upstream, version, 1)
    const listed = new Set(servers.map(({ server }) => server))
    for (const server of this.#words.keys()) if (!listed.has(server)) this.#note(server, version, null)
    this.#wholeVersion = version
  }

  /** Why nothing may be sent to this server; null when it may. */
  objection(server: string, upstream: string): string | null {
    const record = this.#words.get(server)?.record
    if (!record) return 'it was told that the server is removed'
    if (record.admin !== 'ready') return `it was told ${record.admin}`
    if (record.health !== 'up') return `it was told that the server's health is ${record.health}`
    return record.isEjected && this.#hasUsable(upstream) ? 'it was told that the server is ejected, and knows a usable one' : null
  }

  /** Of an upstream's breaker. */
  pass(upstream: string): number {
    return this.#passes.get(upstream)?.pass ?? 1
  }

  #hasUsable(upstream: string): boolean {
    for (const { record } of this.#words.values()) if (record?.server.startsWith(`${upstream}/`) && isUsable(record)) return true
    return false
  }

  #note(server: string, version: number, record: ServerRecord | null): void {
    const known = this.#words.get(server)?.version ?? this.#wholeVersion
    if (version > known) this.#words.set(server, { version, record })
  }

  #notePass(upstream: string, version: number, pass: number): void {
    const known = this.#passes.get(upstream)?.version ?? this.#wholeVersion
    if (version > known) this.#passes.set(upstream, { version, pass })
  }
}
