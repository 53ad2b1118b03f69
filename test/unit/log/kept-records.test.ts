import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeptRecords, keptLimits } from '../../../src/primary/log/thread/kept-records.ts'
import type { RecordLine } from '../../../src/shared/records/record-line.ts'

const at = (ms: number) => new Date(1_000_000 + ms).toISOString()
const line = (requestId: string, more: RecordLine = {}, ms = 0) => JSON.stringify({ time: at(ms), requestId, totalUs: 10, ...more })
const ids = (kept: KeptRecords, ...wanted: string[]) => wanted.filter((id) => kept.find(id).length > 0)

test('what failed, what was tried again and what is slow is kept, and the rest is not', () => {
  const kept = new KeptRecords({ ...keptLimits, slow: 2 })
  kept.add(line('ok'))
  kept.add(line('slow', { totalUs: 500 }))
  kept.add(line('slower', { totalUs: 900 }))
  kept.add(line('slowest', { totalUs: 2_000 }))
  kept.add(line('failed', { termination: 'upstream_reset' }))
  kept.add(line('retried', { attempts: 2, status: 200 }))
  kept.add(line('error', { status: 503 }))
  kept.add(line('tunnel', { kind: 'tunnel', totalUs: 9_000_000 }))
  kept.add('no JSON')
  assert.deepEqual(ids(kept, 'ok', 'slow', 'slower', 'slowest', 'failed', 'retried', 'error', 'tunnel'), [
    ...['slower', 'slowest', 'failed', 'retried', 'error'],
  ])
  assert.equal(kept.slowUs, 901, 'only what is slower than the fastest of them is wanted')
})

test('the oldest failures go first, by number and by bytes', () => {
  const kept = new KeptRecords({ ...keptLimits, failed: 3, bytes: 400 })
  for (let i = 0; i < 5; i++) kept.add(line(`f${i}`, { status: 500 }))
  assert.deepEqual(ids(kept, 'f0', 'f1', 'f2', 'f3', 'f4'), ['f2', 'f3', 'f4'])
  kept.add(line('big', { status: 500, path: 'x'.repeat(250) }))
  assert.deepEqual(ids(kept, 'f3', 'f4', 'big'), ['big'])
})

test('slow ones have their time', () => {
  const kept = new KeptRecords({ ...keptLimits, slow: 1, slowMs: 60_000 })
  kept.add(line('old', { totalUs: 9_000 }, 0))
  kept.prune(1_000_000 + 59_000)
  assert.deepEqual(ids(kept, 'old'), ['old'])
  kept.prune(1_000_000 + 66_000)
  assert.deepEqual(ids(kept, 'old'), [])
  assert.equal(kept.slowUs, 1, 'there is room again')
})

test('several with one id come oldest first, and a part of an id is none', () => {
  const kept = new KeptRecords()
  kept.add(line('same', { status: 503 }, 20))
  kept.add(line('same', { status: 502 }, 10))
  assert.deepEqual(
    kept.find('same').map(({ status }) => status),
    [502, 503],
  )
  assert.deepEqual(kept.find('sam'), [])
})
