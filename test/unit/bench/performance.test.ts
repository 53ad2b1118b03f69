import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { httpSmall } from '../../../bench/cases/http-small.ts'
import type { Sample } from '../../../bench/lib/case.ts'
import { limitOf } from '../../../bench/lib/limits.ts'
import { type BenchRecord, type CaseResult, readRecord, writeRecord } from '../../../bench/lib/record.ts'
import { performancePage } from '../../../bench/performance/page.ts'
import { agree, intervalOf, ratiosOf } from '../../../bench/performance/ratios.ts'
import { withTable } from '../../../bench/performance/readme.ts'
import { keptRecords, pagesFrom } from '../../../bench/performance/write-pages.ts'
import { root } from '../../guard/lib/sources.ts'

/** A full core for the proxy, half of the other one for the load. */
const shares = { busy: 0.99, waited: 0, loadBusy: 0.5 }

function samples(...values: [cpuUs: number, rps: number][]): Sample[] {
  return values.map(([cpuUs, rps]) => ({ cpuUs, rps, ...shares }))
}

function resultOf(all: Record<string, Sample[]>): CaseResult {
  return { name: 'http-small', question: 'How fast?', samples: all, failures: [], unable: {}, obstacle: null, stolen: 0 }
}

function recordOf(...results: CaseResult[]): BenchRecord {
  return {
    schema: 2,
    time: '2026-01-02T03:04:05.000Z',
    suite: 'peers',
    machine: {
      cpu: 'Test CPU',
      cores: 2,
      memoryBytes: 4 * 2 ** 30,
      kernel: '6.1',
      virtual: true,
      governor: 'unknown',
      openFiles: 20_000,
      node: 'v20.19.0',
      nginx: '1.22.1',
      haproxy: '2.6.12',
      caddy: '2.6.2',
      apache: '2.4.1',
      npm: { 'http-proxy': '1.18.1' },
      wrk: '4.1.0',
      openssl: '3.0.1',
      nodeOpenssl: '3.0.2',
      commit: 'abc1234',
    },
    rounds: 3,
    seconds: 2,
    full: false,
    load: 'wrk 4.1.0',
    cores: { proxy: 0, load: 1 },
    skipped: [{ peer: 'caddy', reason: 'caddy is not installed: apt install caddy' }],
    results,
  }
}

const direct = samples([1, 200_000], [1, 200_000], [1, 200_000]).map((sample) => ({ ...sample, cpuUs: null }))
const mixed = resultOf({
  weir: samples([10, 60_000], [10.1, 61_000], [9.9, 60_500]),
  nginx: samples([15, 50_000], [15.2, 50_500], [14.9, 50_200]),
  haproxy: samples([8, 62_000], [8.1, 61_000], [7.9, 60_800]),
  direct,
})

test('a ratio has the median of its rounds and an interval that is wider the fewer rounds there are', () => {
  const three = intervalOf([0.9, 1, 1.1])
  const five = intervalOf([0.9, 0.95, 1, 1.05, 1.1])
  assert.equal(three.value, 1)
  assert.ok(three.low < 0.9 && three.high > 1.1, JSON.stringify(three))
  assert.ok(five.low > three.low && five.high < three.high)
  assert.ok(intervalOf([1, 1, 1]).high >= 1.02, 'nothing is known better than two percent')
  assert.ok(Number.isNaN(intervalOf([1]).low), 'one round says nothing about another run')
})

test('who is ahead is said only where the interval leaves 1 out, and better is what the metric says', () => {
  const outcome = (rival: string, metric: string) =>
    ratiosOf(httpSmall, mixed, 2).find((ratio) => ratio.rival === rival && ratio.metric === metric)?.outcome
  assert.equal(outcome('nginx', 'cpuUs'), 'ahead')
  assert.equal(outcome('nginx', 'rps'), 'ahead')
  assert.equal(outcome('haproxy', 'cpuUs'), 'behind')
  assert.equal(outcome('haproxy', 'rps'), 'level')
  assert.equal(outcome('direct', 'rps'), undefined)
})

test('the page names at its top where weir loses, and what is undecided', () => {
  const page = performancePage([recordOf(mixed)])
  const losses = page.slice(page.indexOf('## Where weir loses'), page.indexOf('## Undecided'))
  assert.match(losses, /- http-small, CPU us\/req: 1\.25 \(1\.\d\d–1\.\d\d\) of haproxy, lower is better/)
  assert.doesNotMatch(losses, /nginx/)
  assert.match(page.slice(page.indexOf('## Undecided'), page.indexOf('## The budget')), /http-small, req\/s: .* of haproxy/)
  assert.match(page, /\| http-small: CPU per request \| 1\.25 \| haproxy \| 0\.95 \| 0\.85 \| FAIL \|/)
})

test('a peer that was not there, failed or could not do it is named with the reason and compared with nobody', () => {
  const result = { ...mixed, failures: ['apache: ended at once'], unable: { 'fast-proxy': 'cannot take the rate' } }
  const page = performancePage([recordOf(result)])
  assert.match(page, /- without caddy: caddy is not installed: apt install caddy/)
  assert.match(page, /- Failed: apache: ended at once/)
  assert.match(page, /- fast-proxy cannot take the rate\./)
  assert.match(page, /\| weir against \| nginx \| haproxy \|/)
})

test('the page says on what machine, with which versions, and how to repeat it', () => {
  const page = performancePage([recordOf(mixed)])
  for (const part of ['Test CPU, 2 cores, virtual', 'abc1234', 'nginx 1.22.1', 'http-proxy 1.18.1', '2026-01-02', '3 rounds of 2 s'])
    assert.ok(page.includes(part), part)
  assert.match(page, /^make bench-peers BENCH_ARGS="--rounds 3 --seconds 2"$/m)
})

test('a rate that clients and servers limited is marked', () => {
  const limit = (weir: Sample[]) => limitOf(httpSmall, resultOf({ weir, direct }), 'weir', 2)
  assert.equal(limit(samples([10, 60_000])), null)
  assert.match(limit(samples([10, 190_000])) ?? '', /95 % of the rate without a proxy/)
  assert.match(limit([{ cpuUs: 10, rps: 60_000, busy: 0.6, waited: 0.01, loadBusy: 0.99 }]) ?? '', /had their core 99 % busy, it only 60 %/)
  assert.match(limit([{ cpuUs: 10, rps: 60_000, busy: 0.6, waited: 0.01, loadBusy: 0.5 }]) ?? '', /only 60 % busy/)
  const fast = resultOf({ ...mixed.samples, weir: samples([10, 190_000], [10, 190_000], [10, 190_000]) })
  assert.match(performancePage([recordOf(fast)]), /3\.78\\\* \(/)
})

test('the tables of the README are replaced between their marks and nowhere else', () => {
  const marks = 'before\n<!-- begin peers: written by make bench-report -->\nold\n<!-- end peers -->\nafter\n'
  const text = withTable(marks, 'peers', recordOf(mixed))
  assert.match(text, /^before\n<!-- begin peers[\s\S]*<!-- end peers -->\nafter\n$/)
  assert.match(text, /\| CPU per small request \| \*\*10\.0 µs\*\* ±1 % \| 15\.0 µs ±1 % \| 8\.00 µs ±1 % \|/)
  assert.doesNotMatch(text, /\bold\b/)
  assert.equal(withTable(text, 'peers', recordOf(mixed)), text)
  assert.throws(() => withTable('no marks', 'peers', recordOf(mixed)), /README.md needs the lines/)
})

test('docs/performance.md and the tables of the README are what the kept records give', () => {
  const kept = keptRecords()
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const pages = pagesFrom(kept, readme)
  for (const [path, text] of Object.entries(pages))
    assert.equal(readFileSync(join(root, path), 'utf8'), text, `${path}: run make bench-report`)
  assert.equal(existsSync(join(root, 'docs/performance.md')), 'docs/performance.md' in pages, 'a page without a record')
  for (const name of ['latest', 'tls']) {
    const file = join(root, `bench/records/${name}.json`)
    if (existsSync(file)) assert.ok(statSync(file).size < 200_000, `${file} is too large to keep`)
  }
  for (const name of ['peers', 'tls'] as const) withTable(readme, name, recordOf(mixed))
})

test('a record is read as it was written, but for digits that mean nothing', (t) => {
  const folder = temporary(t)
  const file = join(folder, 'a.json')
  writeRecord(file, recordOf(resultOf({ weir: [{ cpuUs: 10.123456789, rps: 60_000, busy: Number.NaN }] })))
  assert.deepEqual(readRecord(file).results[0]?.samples['weir'], [{ cpuUs: 10.1235, rps: 60_000, busy: null }])
  assert.match(readFileSync(file, 'utf8'), /\{ "cpuUs": 10\.1235, "rps": 60000, "busy": null \}/)
})

test('two records agree where their intervals meet, and make bench-compare says which ratios do not', (t) => {
  const folder = temporary(t)
  const slower = resultOf({ ...mixed.samples, weir: samples([20, 60_000], [20.2, 61_000], [19.8, 60_500]) })
  for (const [name, result] of Object.entries({ a: mixed, b: mixed, c: slower }))
    writeRecord(join(folder, `${name}.json`), recordOf(result))
  const ratios = [mixed, slower].map((result) => ratiosOf(httpSmall, result, 2).filter((ratio) => ratio.rival === 'nginx'))
  assert.deepEqual(
    ratios[0]?.map((ratio, i) => agree(ratio, ratios[1]?.[i] ?? ratio)),
    [false, true],
  )
  const same = compare(join(folder, 'a.json'), join(folder, 'b.json'))
  assert.deepEqual([same.status, same.stdout], [0, '4 of 4 ratios agree\n'])
  const apart = compare(join(folder, 'a.json'), join(folder, 'c.json'))
  assert.equal(apart.status, 1)
  assert.match(apart.stdout, /^2 of 4 ratios agree\n[\s\S]*http-small, CPU us\/req, against nginx\s+0\.66 .*1\.33 /)
})

function compare(a: string, b: string) {
  return spawnSync(process.execPath, ['--import', 'tsx', join(root, 'bench/compare.ts'), a, b], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  })
}

function temporary(t: { after(action: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-performance-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
