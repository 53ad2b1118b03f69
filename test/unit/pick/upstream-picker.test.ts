import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyName } from '../../../src/worker/pick/picker.ts'
import { policies } from '../../../src/worker/pick/policies.ts'
import { UpstreamPicker } from '../../../src/worker/pick/upstream-picker.ts'
import { board, servers, setLoad } from './fixtures.ts'

for (const name of Object.keys(policies) as PolicyName[]) {
  test(`${name}: a backup is picked only when no primary is eligible`, () => {
    const view = board(3)
    const picker = new UpstreamPicker(name, servers([1, 1, 1], { 0: { maxConnections: 2 }, 1: { backup: true } }))
    const pick = (excluded: number[] = [], now = 0) => picker.pick(view, now, 0, excluded)
    assert.deepEqual(new Set([pick(), pick(), pick(), pick()]), new Set([0, 2]))
    assert.equal(pick([0, 2]), 1)
    picker.setUsable(2, false)
    assert.equal(pick(), 0)
    setLoad(view, 0, 2)
    assert.equal(pick(), 1)
    assert.equal(pick([1]), -1)
    setLoad(view, 0, 0)
    picker.distrust(0, 100)
    assert.equal(pick([], 99), 1)
    assert.equal(pick([], 100), 0)
    picker.distrust(1, 100)
    assert.equal(pick([], 99), -1)
    assert.equal(pick([], Infinity), 0)
  })

  test(`${name}: a server of weight 0 is never picked, not even alone or as a backup`, () => {
    const view = board(2)
    assert.equal(new UpstreamPicker(name, servers([0])).pick(view, 0, 0, []), -1)
    assert.equal(new UpstreamPicker(name, servers([0, 0], { 1: { backup: true } })).pick(view, 0, 0, []), -1)
    assert.equal(new UpstreamPicker(name, servers([0, 1])).pick(view, 0, 0, []), 1)
  })

  test(`${name}: no servers, no pick; news about unknown slots is ignored`, () => {
    const picker = new UpstreamPicker(name, [], 3)
    picker.setUsable(5, true)
    picker.setWeight(5, 1)
    picker.distrust(5, 1)
    assert.equal(picker.pick(board(0), 0, 0, []), -1)
  })

  test(`${name}: the slot is answered, not the position`, () => {
    const picker = new UpstreamPicker(name, [
      { slot: 41, weight: 1, maxConnections: 1, backup: false },
      { slot: 17, weight: 1, maxConnections: 1, backup: true },
    ])
    const view = board(42)
    assert.equal(picker.pick(view, 0, 0, []), 41)
    setLoad(view, 41, 1)
    assert.equal(picker.pick(view, 0, 0, []), 17)
  })
}
