/**
 * `make bench-report RECORD=build/bench/TIME.json`: writes docs/performance.md and the tables of the README from records; without one from
 * those that are kept in bench/records.
 */
import { parseArgs } from 'node:util'
import { readRecord } from './lib/record.ts'
import { writePages } from './performance/write-pages.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { partly: { type: 'boolean', default: false } } })
try {
  const written = writePages(positionals.map(readRecord), values.partly)
  for (const path of written) console.log(`written: ${path}`)
  if (written.length === 0) throw new Error('there is no record yet: run make bench-peers, or name one with RECORD=build/bench/TIME.json')
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
