/**
 * `make bench-compare A=… B=…`: do two records agree on every ratio? They do where the intervals that each states have something in common.
 * Exit code 0: on all, 1: not on all, 2: they cannot be compared.
 */
import { allCases } from './layers.ts'
import { table } from './lib/numbers.ts'
import { type BenchRecord, readRecord } from './lib/record.ts'
import { ratioCell } from './performance/markdown.ts'
import { agree, type Ratio, ratiosOf } from './performance/ratios.ts'

const [a, b] = process.argv.slice(2)
if (a === undefined || b === undefined) fail('usage: compare.ts A.json B.json')
else compare(read(a), read(b))

function compare(first: BenchRecord, second: BenchRecord): void {
  if (first.machine.cpu !== second.machine.cpu || first.machine.cores !== second.machine.cores) console.log('note: these are two machines')
  const others = new Map(ratiosIn(second).map((ratio) => [nameOf(ratio), ratio]))
  const pairs = ratiosIn(first).flatMap((ratio) => {
    const other = others.get(nameOf(ratio))
    return other === undefined ? [] : [[ratio, other] as const]
  })
  if (pairs.length === 0) fail('the two records have no ratio in common')
  const single = pairs.filter((pair) => pair.some((ratio) => ratio.outcome === 'unknown'))
  if (single.length > 0) fail('a record of one round has no spread: it agrees with everything and nothing')
  const apart = pairs.filter(([one, other]) => !agree(one, other))
  console.log(`${pairs.length - apart.length} of ${pairs.length} ratios agree`)
  const rows = apart.map(([one, other]) => [nameOf(one), ratioCell(one), ratioCell(other)])
  if (rows.length > 0) console.log(table([['', 'A', 'B'], ...rows]))
  process.exitCode = apart.length === 0 ? 0 : 1
}

function ratiosIn(record: BenchRecord): Ratio[] {
  return record.results.flatMap((result) => {
    const one = allCases().find((each) => each.one.name === result.name)?.one
    return one === undefined ? [] : ratiosOf(one, result, record.machine.cores)
  })
}

function nameOf(ratio: Ratio): string {
  return `${ratio.case}, ${ratio.label}, against ${ratio.rival}`
}

function read(file: string): BenchRecord {
  try {
    return readRecord(file)
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

function fail(sentence: string): never {
  console.error(sentence)
  return process.exit(2)
}
