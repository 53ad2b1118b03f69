// Traces: what a client begins goes on at the server, and a collector gets our span between the two.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { startServer } from './lib/server.ts'
import { until } from './lib/wait.ts'

interface Span {
  traceId: string
  spanId: string
  parentSpanId?: string
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: { key: string; value: { stringValue?: string } }[]
}

const spans: Span[] = []
const collector = createServer(async (request, response) => {
  let text = ''
  for await (const part of request) text += part
  const { resourceSpans } = JSON.parse(text) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }
  spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
  response.end('{}')
})
await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
file.after(() => {
  collector.closeAllConnections()
  collector.close()
})
const server = await startServer(file)
const otlp = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`
const weir = await startBalancer(file, config({ servers: [server.address], top: { tracing: { otlp, share: '100%' } } }), { workers: 2 })

const pathOf = ({ attributes }: Span) => attributes.find(({ key }) => key === 'url.path')?.value.stringValue
const spanFor = (path: string) => until(() => spans.find((span) => pathOf(span) === path), { what: `a span for ${path}` })
const sentTo = (path: string) => String(server.seen.find(({ url }) => url === path)?.headers['traceparent']).split('-')

test('a trace that a client began goes on: its span is the parent of ours, and ours of the server', async (t) => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const begun = Date.now()
  await ask(t, weir.port(), 'GET /begun', { traceparent: `00-${traceId}-b7ad6b7169203331-01` })
  const [, sentTrace, sentSpan] = sentTo('/begun')
  const span = await spanFor('/begun')
  assert.deepEqual([span.traceId, span.parentSpanId], [traceId, 'b7ad6b7169203331'])
  assert.deepEqual([sentTrace, sentSpan], [traceId, span.spanId])
  const [from, to] = [Number(BigInt(span.startTimeUnixNano) / 1_000_000n), Number(BigInt(span.endTimeUnixNano) / 1_000_000n)]
  assert.ok(from >= begun - 50 && from <= to && to <= Date.now() + 50, `${begun} ${from} ${to}`)
})

test('a share of the others begins a trace, and what is not sampled is passed on and not exported', async (t) => {
  await ask(t, weir.port(), 'GET /unsampled', { traceparent: '00-11111111111111111111111111111111-2222222222222222-00' })
  await ask(t, weir.port(), 'GET /new')
  const span = await spanFor('/new')
  const [, traceId, spanId, flags] = sentTo('/new')
  assert.deepEqual([span.traceId, span.spanId, span.parentSpanId ?? '', flags], [traceId, spanId, '', '01'])
  assert.equal(sentTo('/unsampled')[1], '11111111111111111111111111111111')
  assert.equal(
    spans.find((one) => pathOf(one) === '/unsampled'),
    undefined,
  )
})

test('a collector that is gone slows nobody', async (t) => {
  collector.closeAllConnections()
  collector.close()
  for (let i = 0; i < 50; i++) assert.equal((await ask(t, weir.port(), 'GET /gone')).status, 200)
  const { code } = await weir.stop()
  assert.equal(code, 0)
})
