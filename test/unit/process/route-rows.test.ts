import assert from 'node:assert/strict'
import { test } from 'node:test'
import { abi } from '../../../src/native/abi.ts'
import { RouteRows } from '../../../src/primary/route-rows.ts'
import { configOf } from '../control/fixtures.ts'

const FIRST = abi.board.listeners

function listenersOf(...paths: string[]) {
  const routes = paths.map((path) => `{ match: { path: ${path} }, upstream: a }`)
  return configOf(`
listeners: { web: { bind: "127.0.0.1:0", routes: [${routes.join(', ')}] } }
upstreams: { a: { servers: ["127.0.0.1:1"] } }
`).listeners
}

function rowsOf(room: number) {
  const open = new Map<number, number>()
  const cleared: number[] = []
  const rows = new RouteRows({ active: (row) => open.get(row) ?? 0, clear: (row) => cleared.push(row), rows: FIRST + room })
  const take = (...paths: string[]) => rows.take(listenersOf(...paths), [{ slot: 7 }])[0] as number[]
  return { rows, take, open, cleared, settle: (...paths: string[]) => rows.settle(listenersOf(...paths)) }
}

test('a route keeps its row for as long as it is in the config, wherever it stands', () => {
  const { rows, take, settle } = rowsOf(10)
  assert.deepEqual(take('/a', '/b'), [FIRST, FIRST + 1])
  assert.deepEqual(take('/b', '/c', '/a'), [FIRST + 1, FIRST + 2, FIRST])
  settle('/b', '/c', '/a')
  assert.deepEqual(
    rows.all.map(({ name }) => name),
    ['/a', '/b', '/c'],
  )
  settle('/c')
  assert.deepEqual(rows.all, [{ row: FIRST + 2, listener: 'web', name: '/c' }])
})

test('two routes with the same match have rows of their own', () => {
  const { rows, take } = rowsOf(10)
  assert.equal(new Set(take('/a', '/a', '/a')).size, 3)
  assert.deepEqual(
    rows.all.map(({ name }) => name),
    ['/a', '/a #2', '/a #3'],
  )
})

test('a config that is refused costs nobody a row', () => {
  const { take, settle, cleared } = rowsOf(2)
  assert.deepEqual(take('/a', '/b'), [FIRST, FIRST + 1])
  settle('/a', '/b')
  // It is only prepared: there is no room for more, so its routes count at their listener.
  assert.deepEqual(take('/c', '/d'), [7, 7])
  assert.deepEqual(take('/a', '/b'), [FIRST, FIRST + 1])
  assert.deepEqual(cleared, [])
})

test('the row of a route that is gone goes to another one when nothing is open on it any more', () => {
  const { take, settle, open, cleared } = rowsOf(2)
  take('/a', '/b')
  open.set(FIRST, 1)
  settle('/c')
  assert.deepEqual(take('/c', '/d'), [FIRST + 1, 7])
  assert.deepEqual(cleared, [FIRST + 1])
  open.delete(FIRST)
  assert.deepEqual(take('/c', '/d'), [FIRST + 1, FIRST])
  assert.deepEqual(cleared, [FIRST + 1, FIRST])
})
