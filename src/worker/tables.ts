import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { entryPoint } from '../shared/base/program-files.ts'
import type { HashTable, TableSpec } from './pick/table-builder.ts'
import type { UpstreamPicker } from './pick/upstream-picker.ts'

/** Groups of more servers get their hash tables from a thread: building them would keep connections waiting. */
export const OFFLOAD_ABOVE = 500

/**
 * Builds hash tables of big upstreams in a thread while the old ones serve. The thread begins with the first table and ends when there
 * is none to build, so that a config without big upstreams never has it.
 */
export class TableShop {
  #pool: Piscina | undefined
  /** Tables that are being built. */
  readonly #ordered = new Set<string>()

  /** Orders what a picker wants and has not got, and hands it over when it is done. */
  supply(name: string, picker: UpstreamPicker): void {
    for (const spec of picker.wantedTables()) {
      const key = `${name} ${spec.kind} ${spec.fingerprint}`
      if (this.#ordered.has(key)) continue
      this.#ordered.add(key)
      this.#build(spec)
        .then(
          (table) => picker.useTable(table),
          // Without a thread there is no table but the old one; the next change orders anew.
          () => false,
        )
        .finally(() => this.#ordered.delete(key))
    }
  }

  #build(spec: TableSpec): Promise<HashTable> {
    this.#pool ??= new Piscina<TableSpec, HashTable>({
      filename: fileURLToPath(entryPoint('worker/pick/table-builder')),
      name: 'buildTable',
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: 10_000,
    })
    return this.#pool.run(spec)
  }
}
