import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dimensions, stagesOf, valueText } from '../../../bench/scale/dimensions.ts'
import type { PointSample } from '../../../bench/scale/measure.ts'
import { scalePage } from '../../../bench/scale/page.ts'
import type { ScaleResult } from '../../../bench/scale/run.ts'
import { scaleText } from '../../../bench/scale/text.ts'

function sample(cpuUs: number, limit: string | null = null): PointSample {
  return { cpuUs, cpuMsPerGb: null, perSecond: 10_000, busy: 0.3, loadBusy: 0.4, limit }
}

const result: ScaleResult = {
  series: [
    {
      dimension: 'connections',
      peer: 'weir',
      points: [
        { value: 1, samples: [sample(50, 'one at a time'), sample(54, 'one at a time')] },
        { value: 1_000, samples: [sample(22), sample(22)] },
        { value: 100, samples: [sample(10), sample(12)] },
      ],
    },
    { dimension: 'body', peer: 'weir', points: [{ value: 1_024, samples: [{ ...sample(15), cpuMsPerGb: 15_000 }] }] },
  ],
  missing: ['haproxy: is <not> here'],
  rounds: 2,
  stolen: 0,
}

test('a dimension is a table, points where the load was the limit are marked, and what is missing is said', () => {
  assert.equal(
    scaleText(result, dimensions),
    `
connections: What does a request cost when more clients are connected? All connections take turns, at one rate.
CPU us per request, by open connections
              1       100     1,000  growth
weir  52.0 ±4%*  11.0 ±9%  22.0 ±0%   x2.00
* weir: one at a time

body: What does a response cost when its body grows?
CPU us per request, by size of body
      1 KiB  growth
weir   15.0       -

body: What does a response cost when its body grows?
CPU ms per 10^9 bytes of body, by size of body
       1 KiB  growth
weir  15,000       -
not measured: haproxy: is <not> here`,
  )
})

test('the page plots what was measured and fetches nothing', () => {
  const machine = {
    cpu: 'a <cpu>',
    cores: 2,
    memoryBytes: 1,
    kernel: '6',
    virtual: true,
    governor: '',
    openFiles: 20_000,
    node: 'v20',
    commit: 'abc',
  }
  const versions = { nginx: '1', haproxy: '2', caddy: '', apache: '', npm: {}, wrk: '', openssl: '', nodeOpenssl: '' }
  const html = scalePage({ time: 'now', machine: { ...machine, ...versions }, peers: ['weir'], seconds: 1, result }, dimensions)
  assert.match(html, /haproxy: is &#60;not&#62; here/)
  assert.match(html, /class="hollow"[^>]*><title>weir, 1: 52\.0; one at a time/)
  assert.doesNotMatch(html, /NaN|undefined|Infinity|<script|https?:/)
})

test('every point of every dimension is in one stage', () => {
  for (const dimension of dimensions) {
    const stages = stagesOf(dimension)
    assert.deepEqual(
      stages.flatMap(({ values }) => values),
      [...dimension.values],
    )
    for (const stage of stages) {
      if (dimension.name === 'servers' || dimension.name === 'routes' || dimension.name === 'workers')
        assert.equal(stage[dimension.name], stage.values[0])
    }
  }
  assert.deepEqual(
    [0, 1_024, 64 * 2 ** 20].map((value) => valueText('body', value)),
    ['0', '1 KiB', '64 MiB'],
  )
})
