import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSeed } from './lib/run.ts'

const SEEDS = 300

test(`workers agree with the primary, and send nothing where they must not, whatever becomes of messages and processes (${SEEDS} seeds)`, () => {
  const totals = { requests: 0, crashes: 0, wholes: 0, refused: 0 }
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { violation, counts } = runSeed(seed)
    assert.equal(violation, null, `seed ${seed}: ${violation}; replay it with SEED=${seed} make simulate`)
    for (const what of ['requests', 'crashes', 'wholes', 'refused'] as const) totals[what] += counts[what]
  }
  // A simulation in which nothing happens proves nothing.
  assert.ok(totals.requests > SEEDS * 300, `only ${totals.requests} requests`)
  for (const [what, count] of Object.entries(totals)) assert.ok(count > SEEDS / 10, `only ${count} ${what}`)
})

test('the same seed tells the same story', () => {
  for (const seed of [1, 22, 333]) assert.deepEqual(runSeed(seed, true), runSeed(seed, true))
})
