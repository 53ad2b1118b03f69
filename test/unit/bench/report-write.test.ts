import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { merged, percentileText } from '../../../src/cli/bench/report/histograms.ts'
import { page } from '../../../src/cli/bench/report/page.ts'
import { writeReport } from '../../../src/cli/bench/report/write.ts'
import { fleetOf, histogramText, normal, policyOf, randomOf, resultOf, roundOf, slicesOf } from './lib/made-up.ts'

const random = randomOf(11)
const many = () => roundOf(20, { histogram: histogramText(Array.from({ length: 3_000 }, () => 5 * Math.exp(normal(random)))) })
const hostile = '<script src="https://example.com/x.js">&"\''

test('a folder gets the page, the result and a histogram for each policy that was measured', async (t) => {
  const folder = join(await mkdtemp(join(tmpdir(), 'weir-report-')), 'deep')
  t.after(() => rm(join(folder, '..'), { recursive: true, force: true }))
  const policies = [policyOf('consistent-hash (ring)', [many(), many()]), policyOf('consistent hash ring', [many()]), policyOf('first', [])]
  const result = resultOf([fleetOf(policies, { name: '../../etc/a fleet' })])
  const paths = await writeReport(result, folder)
  const names = ['index.html', 'report.json', 'etc-a-fleet.consistent-hash-ring.hgrm', 'etc-a-fleet.consistent-hash-ring-2.hgrm']
  assert.deepEqual(
    paths.map((path) => basename(path)),
    names,
  )
  assert.deepEqual((await readdir(folder)).toSorted(), names.toSorted())
  assert.deepEqual(JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')), result)
})

test('a .hgrm file has the merged histogram in the form that plotters read', () => {
  const rounds = [many(), many()]
  const all = merged(rounds)
  const [head, empty, ...lines] = percentileText(rounds).trimEnd().split('\n')
  assert.deepEqual(head?.trim().split(/ +/), ['Value', 'Percentile', 'TotalCount', '1/(1-Percentile)'])
  assert.equal(empty, '')
  const rows = lines.filter((line) => !line.startsWith('#')).map((line) => line.trim().split(/ +/).map(Number))
  assert.equal(rows.length, lines.length - 3)
  for (const [value = 0, share = 0, count = 0, inverse] of rows) {
    assert.equal(Math.round(value * 1000), all.getValueAtPercentile(Math.max(share * 100, 1e-9)), `${share}`)
    assert.ok(count >= share * 6_000 - 1)
    if (share < 1) assert.ok(Math.abs((inverse ?? 0) - 1 / (1 - share)) <= 0.01 * (inverse ?? 0))
    else assert.equal(inverse, undefined)
  }
  assert.equal(rows.at(-1)?.[1], 1)
  assert.equal(rows.at(-1)?.[2], 6_000)
  assert.match(lines.at(-2) ?? '', /^#\[Max {5}= +[\d.]+, Total count {4}= +6000\]$/)
})

test('the page needs nothing from anywhere, and no name gets out of its text', () => {
  const rounds = [0, 1].map(() => roundOf(20, { slices: slicesOf(20, 2, 5, random), requests: { [hostile]: 3, b: 1 } }))
  const fleet = fleetOf([policyOf(hostile, rounds), policyOf('b', rounds)], {
    name: hostile,
    question: hostile,
    notes: [hostile],
    servers: [hostile, 'b'].map((name) => ({ name, weight: 1, description: hostile })),
    events: [{ at: 2, seconds: 1, text: hostile }],
  })
  const result = resultOf([fleet, fleet])
  result.settings.config = hostile
  result.environment.cpu = hostile
  const html = page(result)
  assert.ok(!html.includes('<script'))
  assert.ok(html.includes('&#60;script'))
  const tags = html.match(/<[a-z][^>]*>/g) ?? []
  const links = tags.filter(
    (tag) => /\s(?:src|srcset|href|action|data|on[a-z]+)=/.test(tag.replace(/"[^"]*"/g, '')) && !/^<a href="#fleet-\d">$/.test(tag),
  )
  assert.deepEqual(links, [])
  assert.doesNotMatch(html, /@import|url\(|<(?:link|img|iframe|object|embed)/)
  assert.match(html, /default-src 'none'; style-src 'unsafe-inline'/)
})

test('the page bears results of which little was measured', () => {
  assert.match(page(resultOf([])), /<h1>/)
  const fleets = [fleetOf([]), fleetOf([policyOf('a', [])]), fleetOf([policyOf('a', [roundOf(1)])])]
  const html = page({ ...resultOf(fleets), isInterrupted: true })
  assert.match(html, /was interrupted/)
  assert.match(html, /Nothing was measured here/)
  assert.doesNotMatch(html, /NaN|undefined|Infinity/)
})

test('servers beyond a handful become dots', () => {
  const servers = Array.from({ length: 40 }, (_, index) => ({ name: `s${index}`, weight: 1, description: '1 ms' }))
  const requests = Object.fromEntries(servers.map(({ name }, index) => [name, index]))
  const html = page(resultOf([fleetOf([policyOf('a', [roundOf(1, { requests })])], { servers })]))
  assert.equal(html.match(/<title>s39: 5%<\/title>/g)?.length, 2)
})
