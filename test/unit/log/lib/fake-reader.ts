/** A record reader without rings: records are lines that a test adds. */
import type { RecordFormat, RecordReader } from '../../../../src/native/contract.ts'
import type { RecordLine } from '../../../../src/shared/records/record-line.ts'

export class FakeReader implements RecordReader {
  readonly lines: string[] = []
  readonly names = new Map<string, string>()
  readonly formats = new Map<number, RecordFormat>()
  readonly #places = new Map<number, { next: number; lost: number; read: number }>()
  #last = 0

  add(...records: RecordLine[]): void {
    for (const record of records) this.lines.push(JSON.stringify(record))
  }

  /** As if so many had been overwritten before a cursor came to them. */
  lose(cursor: number, count: number): void {
    this.#place(cursor).lost += count
  }

  get openCursors(): number[] {
    return [...this.#places.keys()]
  }

  name(kind: 'listener' | 'route' | 'server', row: number, name: string): void {
    this.names.set(`${kind} ${row}`, name)
  }

  open(format: RecordFormat, fromOldest: boolean): number {
    this.#last++
    this.formats.set(this.#last, format)
    this.#places.set(this.#last, { next: fromOldest ? 0 : this.lines.length, lost: 0, read: 0 })
    return this.#last
  }

  reformat(cursor: number, format: RecordFormat): void {
    this.#place(cursor)
    this.formats.set(cursor, format)
  }

  close(cursor: number): void {
    this.#place(cursor)
    this.#places.delete(cursor)
  }

  read(cursor: number, into: Uint8Array): number {
    const place = this.#place(cursor)
    let end = 0
    for (; place.next < this.lines.length; place.next++) {
      const line = this.lines[place.next] as string
      if (!this.#isWanted(cursor, line)) continue
      const bytes = Buffer.from(`${line}\n`)
      if (end + bytes.length > into.length) break
      into.set(bytes, end)
      end += bytes.length
      place.read++
    }
    return end
  }

  counts(cursor: number): { lost: number; read: number } {
    const { lost, read } = this.#place(cursor)
    return { lost, read }
  }

  #isWanted(cursor: number, line: string): boolean {
    const { share, slowUs = 0 } = this.formats.get(cursor) as RecordFormat
    if (share >= 1) return true
    const { termination = 'ok', attempts = 1, totalUs = 0 } = JSON.parse(line) as RecordLine
    return termination !== 'ok' || attempts > 1 || (slowUs > 0 && totalUs >= slowUs)
  }

  #place(cursor: number): { next: number; lost: number; read: number } {
    const place = this.#places.get(cursor)
    if (place === undefined) throw new Error(`cursor ${cursor} is not open`)
    return place
  }
}
