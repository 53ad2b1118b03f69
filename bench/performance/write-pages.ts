/** Keeps the records that the pages come from, and writes the pages: docs/performance.md and the two tables of the README. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { allCases, suites } from '../layers.ts'
import { type BenchRecord, readRecord, writeRecord } from '../lib/record.ts'
import { performancePage } from './page.ts'
import { type TableName, withTable } from './readme.ts'

const root = join(import.meta.dirname, '../..')
const kept: Record<TableName, string> = { peers: 'bench/records/latest.json', tls: 'bench/records/tls.json' }

/** The records in the repository. Null: that part was not measured yet. */
export function keptRecords(): Record<TableName, BenchRecord | null> {
  const read = (name: TableName): BenchRecord | null => (existsSync(join(root, kept[name])) ? readRecord(join(root, kept[name])) : null)
  return { peers: read('peers'), tls: read('tls') }
}

/** Every generated page as it should be, by its path in the repository. Without any record there is none. */
export function pagesFrom(records: Record<TableName, BenchRecord | null>, readme: string): Record<string, string> {
  const there = [records.peers, records.tls].filter((record) => record !== null)
  if (there.length === 0) return {}
  const tables = (['peers', 'tls'] as const).reduce((text, name) => {
    const record = records[name]
    return record === null ? text : withTable(text, name, record)
  }, readme)
  return { 'docs/performance.md': performancePage(there), 'README.md': tables }
}

/**
 * Keeps the parts of these records (what is over TLS, and the rest) in place of the older ones, and writes the pages from what is kept.
 * Returns the paths that were written. Throws a sentence when a part is not whole, unless `partly`: pages that lose rows are no news.
 */
export function writePages(records: BenchRecord[], partly = false): string[] {
  const parts = records.flatMap(partsOf)
  const gaps = parts.flatMap(({ name, record }) => missingIn(name, record))
  if (gaps.length > 0 && !partly) throw new Error(`the record has no ${gaps.join(', ')}: run them, too, or say --partly`)
  for (const { name, record } of parts) writeRecord(join(root, kept[name]), record)
  const pages = pagesFrom(keptRecords(), readFileSync(join(root, 'README.md'), 'utf8'))
  for (const [path, text] of Object.entries(pages)) writeFileSync(join(root, path), text)
  return [...parts.map(({ name }) => kept[name]), ...Object.keys(pages)]
}

function partsOf(record: BenchRecord): { name: TableName; record: BenchRecord }[] {
  const isTls = (name: string): boolean => allCases().find((each) => each.one.name === name)?.layer === 'tls'
  const parts = { peers: record.results.filter(({ name }) => !isTls(name)), tls: record.results.filter(({ name }) => isTls(name)) }
  return (['peers', 'tls'] as const)
    .filter((name) => parts[name].length > 0)
    .map((name) => ({ name, record: { ...record, suite: name, results: parts[name] } }))
}

function missingIn(name: TableName, record: BenchRecord): string[] {
  const wanted = (suites[name] ?? []).flatMap((stage) => stage.cases.map((one) => one.name))
  return wanted.filter((each) => !record.results.some((result) => result.name === each))
}
