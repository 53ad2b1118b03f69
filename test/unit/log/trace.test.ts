import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { SpanQueue } from '../../../src/primary/log/thread/span-queue.ts'
import { TraceJob } from '../../../src/primary/log/thread/trace-job.ts'
import { parseTraceparent } from '../../../src/primary/log/thread/trace-span.ts'
import { wholeFormat } from '../../../src/shared/records/record-format.ts'
import type { RecordLine } from '../../../src/shared/records/record-line.ts'
import { until } from '../../scenario/lib/wait.ts'
import { FakeReader } from './lib/fake-reader.ts'

const format = wholeFormat({ log: { access: null }, tracing: null })
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'

interface Span {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  status: { code: number }
  attributes: { key: string; value: Record<string, unknown> }[]
  events: { name: string; timeUnixNano: string; attributes: { key: string; value: Record<string, unknown> }[] }[]
}

interface Collector {
  url: string
  spans: Span[]
  headers: IncomingHttpHeaders[]
  resources: Record<string, unknown>[]
}

/** Takes spans as OTLP collectors do. */
async function collector(t: TestContext, answer = (response: ServerResponse) => void response.end('{}')): Promise<Collector> {
  const made: Collector = { url: '', spans: [], headers: [], resources: [] }
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const part of request) text += part
    const { resourceSpans } = JSON.parse(text) as {
      resourceSpans: { resource: { attributes: Span['attributes'] }; scopeSpans: { spans: Span[] }[] }[]
    }
    made.headers.push(request.headers)
    made.resources.push(...resourceSpans.map(({ resource }) => valuesOf(resource.attributes)))
    made.spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)))
    answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  made.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`
  return made
}

function valuesOf(attributes: Span['attributes']): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}

function jobFor(t: TestContext, url: string): { job: TraceJob; reader: FakeReader; said: string[] } {
  const reader = new FakeReader()
  const said: string[] = []
  const settings = { url, serviceName: 'edge', serviceVersion: '1.2.3', headers: { 'X-Token': 'abc' } }
  const job = new TraceJob({ settings, reader, format, exportMs: 1_500, say: (line) => said.push(line) })
  t.after(() => job.close())
  return { job, reader, said }
}

const record: RecordLine = {
  ...{ time: '2026-01-31T12:00:01.234Z', kind: 'exchange', requestId: 'r-1', client: '10.0.0.7', listener: 'web', method: 'GET' },
  ...{ host: 'a.example:8443', path: '/v1/users', query: 'token=redacted', protocol: 'HTTP/1.1', status: 200, termination: 'ok' },
  ...{ route: '/v1/', upstream: 'api', server: 'b', attempts: 2, totalUs: 8_250, overheadUs: 90, firstByteUs: 4_000, userAgent: 'ua' },
  failedAttempts: [{ server: 'api/a', reason: 'connect', error: 'ECONNREFUSED', atUs: 2_000 }],
  traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
  headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
}

test('a record becomes a span with its ids, its parent, its times and the names of the conventions', async (t) => {
  const { url, spans, headers, resources } = await collector(t)
  const { job, reader } = jobFor(t, url)
  const { headers: _none, ...begun } = record
  reader.add(
    record,
    { ...begun, status: 503, termination: 'no_server', method: 'BREW' },
    { ...record, traceparent: `00-${traceId}-00f067aa0ba902b8-00` },
    { ...begun, traceparent: 'nonsense' },
  )
  job.turn()
  await until(() => spans.length > 0)
  assert.equal(spans.length, 2, 'what is not sampled, and what has no trace, is none')
  const [first, second] = spans as [Span, Span]
  assert.deepEqual(
    [first.traceId, first.spanId, first.parentSpanId, first.name, first.kind],
    [...[traceId, '00f067aa0ba902b7', 'b7ad6b7169203331', 'GET /v1/', 2]],
  )
  const endMs = BigInt(Date.parse(record.time ?? ''))
  assert.equal(BigInt(first.endTimeUnixNano), endMs * 1_000_000n)
  assert.equal(BigInt(first.startTimeUnixNano), endMs * 1_000_000n - 8_250_000n)
  const attributes = valuesOf(first.attributes)
  assert.deepEqual(
    {
      ...{ method: attributes['http.request.method'], status: attributes['http.response.status_code'], path: attributes['url.path'] },
      ...{ query: attributes['url.query'], address: attributes['server.address'], port: attributes['server.port'] },
      ...{
        client: attributes['client.address'],
        version: attributes['network.protocol.version'],
        agent: attributes['user_agent.original'],
      },
      ...{ server: attributes['weir.server'], attempts: attributes['weir.attempts'], overhead: attributes['weir.overhead_us'] },
      error: attributes['error.type'],
    },
    {
      ...{ method: 'GET', status: 200, path: '/v1/users', query: 'token=redacted', address: 'a.example', port: 8443, client: '10.0.0.7' },
      ...{ version: '1.1', agent: 'ua', server: 'api/b', attempts: 2, overhead: 90, error: undefined },
    },
  )
  assert.deepEqual([first.events[0]?.name, valuesOf(first.events[0]?.attributes ?? [])['weir.server']], ['attempt failed', 'api/a'])
  assert.equal(BigInt(first.events[0]?.timeUnixNano ?? 0), BigInt(first.startTimeUnixNano) + 2_000_000n)
  assert.equal(second.parentSpanId ?? '', '')
  assert.deepEqual(
    [second.status.code, valuesOf(second.attributes)['error.type'], valuesOf(second.attributes)['http.request.method']],
    [...[2, 'no_server', '_OTHER']],
  )
  assert.equal(headers[0]?.['x-token'], 'abc')
  assert.deepEqual([resources[0]?.['service.name'], resources[0]?.['service.version']], ['edge', '1.2.3'])
  await until(() => job.counts.spansSent === 2)
  assert.equal(job.counts.spansLost, 0)
})

test('a collector that is down, or refuses, costs the spans and nothing else', async (t) => {
  const { url } = await collector(t, (response) => void response.writeHead(400).end())
  for (const place of [url, 'http://127.0.0.1:1/v1/traces']) {
    const { job, reader, said } = jobFor(t, place)
    reader.add(record)
    job.turn()
    await job.end()
    assert.deepEqual(job.counts, { spansSent: 0, spansLost: 1 })
    if (place === url) assert.match(said[0] ?? '', /the collector at \S+ does not take spans; 1 are lost so far/)
  }
})

test('a collector that hangs is waited for no longer than a second at the end, and what waits is bounded', async (t) => {
  const { url } = await collector(t, () => undefined)
  const { job, reader } = jobFor(t, url)
  for (let i = 0; i < 4_000; i++) reader.add(record)
  while (job.turn() !== 'nothing');
  // One batch is on its way, 2,048 wait.
  assert.equal(job.counts.spansLost, 4_000 - 512 - 2_048)
  const begun = performance.now()
  await job.end()
  assert.ok(performance.now() - begun < 1_500)
  assert.equal(job.counts.spansLost, 4_000)
})

test('batches go one after the other', async () => {
  const batches: number[] = []
  const done: ((isTaken: boolean) => void)[] = []
  const queue = new SpanQueue<number>({
    send: (spans, call) => void (batches.push(spans.length), done.push(call)),
    failed: () => undefined,
  })
  for (let i = 0; i < 1_200; i++) queue.add(i)
  assert.deepEqual(batches, [512])
  done[0]?.(true)
  assert.deepEqual(batches, [512, 512])
  const flushed = queue.flush(1_000)
  done[1]?.(false)
  done[2]?.(true)
  await flushed
  assert.deepEqual([batches, queue.sent, queue.lost], [[512, 512, 176], 688, 512])
})

test('a traceparent is read strictly', () => {
  assert.deepEqual(parseTraceparent(record.traceparent), { traceId, spanId: '00f067aa0ba902b7', isSampled: true })
  for (const text of [undefined, '', 'x', `00-${traceId}-00f067aa0ba902b7`, `00-${traceId.toUpperCase()}-00f067aa0ba902b7-01`])
    assert.equal(parseTraceparent(text), null, text)
})
