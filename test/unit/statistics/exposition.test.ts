import assert from 'node:assert/strict'
import { test } from 'node:test'
import { abi } from '../../../src/native/abi.ts'
import { type ExpositionSources, exposition } from '../../../src/primary/statistics/exposition.ts'
import type { ExpositionFormat } from '../../../src/primary/statistics/exposition-writer.ts'
import type { Facts } from '../../../src/primary/statistics/facts.ts'
import { rowsOf } from '../../../src/primary/statistics/facts.ts'
import { Keeper } from '../../../src/primary/statistics/keeper.ts'
import { QueueWaits } from '../../../src/primary/statistics/queue-waits.ts'
import { metrics, mostDetailed } from '../../../src/shared/metrics.ts'
import { parseExposition } from './lib/exposition-reader.ts'
import { factsOf, serverFacts, upstreamFacts } from './lib/facts.ts'
import { WrittenBoard } from './lib/written-board.ts'

const { phase, routeCounter, serverCounter, termination, workerCounter } = abi

class Bed {
  readonly board = new WrittenBoard(2)
  readonly queueWaits = new QueueWaits()
  readonly keeper = new Keeper({
    reader: this.board.view,
    onLeave: (id, series) => id.includes('/') && this.queueWaits.leave(id, series),
  })
  #nowMs = 0

  text(facts: Facts = factsOf(), format: ExpositionFormat = 'text'): string {
    this.keeper.watch(
      rowsOf(
        facts.upstreams.flatMap(({ servers }) => servers),
        facts.routes,
      ),
    )
    this.#nowMs += 2_000
    this.keeper.tick(this.#nowMs)
    const sources: ExpositionSources = { facts, keeper: this.keeper, board: this.board.view, queueWaits: this.queueWaits }
    return exposition(sources, format)
  }

  read(facts?: Facts, format?: ExpositionFormat) {
    return parseExposition(this.text(facts, format))
  }
}

test('every metric of the catalogue is written, and nothing else, with its labels', () => {
  const bed = new Bed()
  const certificates = [{ listener: 'web', name: 'a.test', notAfterMs: 1_800_000_000_000 }]
  const facts = factsOf({ lostRecords: 3, lastReload: { ok: false, atMs: 1_500 }, certificates })
  const { families } = bed.read(facts)
  assert.deepEqual([...families.keys()].sort(), Object.keys(metrics).sort())
  for (const [name, { type, samples }] of families) {
    const row = metrics[name as keyof typeof metrics]
    assert.equal(type, row.type === 'info' ? 'gauge' : row.type, name)
    for (const { labels } of samples)
      assert.deepEqual(
        Object.keys(labels).filter((label) => label !== 'le'),
        [...row.labels],
        name,
      )
  }
  assert.equal(bed.read(facts).value('weir_config_last_reload_success'), 0)
})

test('counters are sums over workers, by what they are of', () => {
  const bed = new Bed()
  bed.board.route(0, 64, routeCounter.status2xx, 5)
  bed.board.route(1, 64, routeCounter.status2xx, 2)
  bed.board.route(0, 0, routeCounter.status4xx, 9)
  bed.board.server(1, 1, serverCounter.failures, 4)
  bed.board.worker(1, workerCounter.terminations + termination.noRoute, 9)
  bed.board.worker(0, workerCounter.accepted, 12)
  const { value } = bed.read()
  assert.equal(value('weir_requests_total', { listener: 'web', route: '/v1/', code_class: '2xx' }), 7)
  assert.equal(value('weir_requests_total', { listener: 'web', route: 'none', code_class: '4xx' }), 9)
  assert.equal(value('weir_server_failures_total', { upstream: 'api', server: 'b' }), 4)
  assert.equal(value('weir_termination_total', { reason: 'no_route' }), 9)
  assert.equal(value('weir_worker_accepted_total', { worker: '1' }), 12)
  assert.equal(value('weir_worker_up', { worker: '2' }), 0)
  assert.equal(value('weir_server_state', { upstream: 'api', server: 'b', state: 'draining' }), 1)
  assert.equal(value('weir_drain_remaining', { upstream: 'api', server: 'b' }), 0)
  assert.equal(value('weir_healthcheck_total', { upstream: 'api', server: 'a', reason: 'failed' }), 1)
})

test('histograms count each value in the classic bucket that holds it, and their sum is exact', () => {
  const bed = new Bed()
  for (const us of [50, 51, 1_000, 70_000_000]) bed.board.record(0, 'route', 64, phase.total, us)
  bed.board.record(1, 'route', 64, phase.total, 100)
  const { value, buckets } = bed.read()
  const labels = { listener: 'web', route: '/v1/' }
  const found = buckets('weir_request_duration_seconds', labels)
  assert.deepEqual(
    [found.get('0.00005'), found.get('0.0001'), found.get('0.0005'), found.get('0.001'), found.get('60'), found.get('+Inf')],
    [1, 3, 3, 4, 4, 5],
  )
  assert.equal(value('weir_request_duration_seconds_count', labels), 5)
  assert.equal(value('weir_request_duration_seconds_sum', labels), 70.001201)
})

test('what did not wait counts as a wait of 0', () => {
  const bed = new Bed()
  for (let i = 0; i < 8; i++) bed.board.record(0, 'server', 0, phase.total, 900)
  for (let i = 0; i < 8; i++) bed.board.record(0, 'route', 64, phase.total, 900)
  bed.board.record(0, 'server', 0, phase.queue, 200_000)
  bed.board.record(0, 'route', 64, phase.queue, 200_000)
  const { buckets, value } = bed.read()
  assert.equal(buckets('weir_upstream_queue_wait_seconds', { upstream: 'api' }).get('0.00005'), 7)
  assert.equal(value('weir_upstream_queue_wait_seconds_count', { upstream: 'api' }), 8)
  assert.equal(buckets('weir_request_queue_wait_seconds', { listener: 'web', route: '/v1/' }).get('0.25'), 8)
})

test('the waits of an upstream do not go back when one of its servers leaves', () => {
  const bed = new Bed()
  for (let i = 0; i < 5; i++) bed.board.record(0, 'server', 1, phase.total, 900)
  assert.equal(bed.read().value('weir_upstream_queue_wait_seconds_count', { upstream: 'api' }), 5)
  const without = factsOf({ upstreams: [upstreamFacts('api', [serverFacts('api/a', 0)])] })
  assert.equal(bed.read(without).value('weir_upstream_queue_wait_seconds_count', { upstream: 'api' }), 5)
  bed.board.clear('server', 1)
  const another = factsOf({ upstreams: [upstreamFacts('api', [serverFacts('api/a', 0), serverFacts('api/c', 1)])] })
  bed.board.record(0, 'server', 1, phase.total, 900)
  assert.equal(bed.read(another).value('weir_upstream_queue_wait_seconds_count', { upstream: 'api' }), 6)
  assert.equal(bed.read(another).value('weir_server_response_seconds_count', { upstream: 'api', server: 'c' }), 1)
})

test('any character of a name stays inside its label', () => {
  const bed = new Bed()
  const name = 'a"} 1\nweir_evil 2\\'
  const facts = factsOf({ upstreams: [upstreamFacts('api', [serverFacts(`api/${name}`, 0)])] })
  for (const format of ['text', 'openmetrics'] as const) {
    const { value, families } = bed.read(facts, format)
    assert.equal(value('weir_server_up', { upstream: 'api', server: name }), 1)
    assert.equal(families.has('weir_evil'), false)
  }
})

test('OpenMetrics ends with EOF, names families without their suffixes, and says units', () => {
  const bed = new Bed()
  const text = bed.text(factsOf(), 'openmetrics')
  assert.ok(text.endsWith('\n# EOF\n'))
  assert.match(text, /^# TYPE weir_requests counter$/m)
  assert.match(text, /^weir_requests_total\{.*\} \d+$/m)
  assert.match(text, /^# TYPE weir_build info$/m)
  assert.match(text, /^# UNIT weir_request_bytes bytes$/m)
  assert.match(text, /^# UNIT weir_request_duration_seconds seconds$/m)
  assert.match(text, /^weir_request_duration_seconds_bucket\{.*le="1\.0"\} 0$/m)
  for (const line of text.split('\n').filter((one) => one.startsWith('# UNIT')))
    assert.ok((line.split(' ')[2] as string).endsWith(line.split(' ')[3] as string), line)
})

test('servers beyond the cap have counters and no histograms, and it is told how many are left out', () => {
  const bed = new Bed()
  const many = Array.from({ length: mostDetailed.servers + 3 }, (_, i) => serverFacts(`api/s${i}`, i))
  const { value, families } = bed.read(factsOf({ upstreams: [upstreamFacts('api', many)] }))
  assert.equal(families.get('weir_server_requests_total')?.samples.length, many.length)
  const labelled = families.get('weir_server_response_seconds')?.samples.filter(({ name }) => name.endsWith('_count'))
  assert.equal(labelled?.length, mostDetailed.servers)
  assert.equal(value('weir_metrics_omitted_series'), 9)
})
