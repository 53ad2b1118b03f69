import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rotateMs, TicketKeys } from '../../../src/primary/tls/ticket-keys.ts'

test('a new key comes every 12 hours, and the one before it is still taken', () => {
  const tickets = new TicketKeys(1_000)
  const [first] = tickets.keys
  assert.deepEqual([first?.length, tickets.keys.length], [80, 1])
  assert.equal(tickets.rotate(1_000 + rotateMs - 1), false)
  assert.equal(tickets.rotate(1_000 + rotateMs), true)
  assert.equal(tickets.keys.length, 2)
  assert.equal(tickets.keys[1], first)
  tickets.rotate(1_000 + 2 * rotateMs)
  assert.equal(tickets.keys.length, 2)
  assert.ok(!tickets.keys.includes(first as Uint8Array))
})

test('after a long sleep no old key is taken', () => {
  const tickets = new TicketKeys(0)
  const [first] = tickets.keys
  tickets.rotate(3 * rotateMs)
  assert.ok(!tickets.keys.includes(first as Uint8Array))
})

test('a successor goes on with the same keys and their age', () => {
  const before = new TicketKeys(0)
  before.rotate(rotateMs)
  const after = new TicketKeys(rotateMs + 5, JSON.parse(JSON.stringify(before.state())))
  assert.deepEqual(after.keys, before.keys)
  assert.equal(after.rotate(2 * rotateMs - 1), false)
  assert.equal(after.rotate(2 * rotateMs), true)
})

test('keys that are not as they should be are made anew', () => {
  for (const state of [null, {}, { keys: [], sinceMs: 0 }, { keys: ['short'], sinceMs: 0 }, { keys: 'x', sinceMs: 0 }])
    assert.equal(new TicketKeys(0, state).keys[0]?.length, 80)
})
