import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { md5, md5Words } from '../../../src/worker/pick/md5.ts'
import type { RingTable } from '../../../src/worker/pick/table-builder.ts'
import { buildTable } from '../../../src/worker/pick/table-builder.ts'
import { findInTable } from '../../../src/worker/pick/table-lookup.ts'
import { board, context, picker, servers } from './fixtures.ts'

/** The servers of libketama's own test, github.com/RJ/ketama: `ketama.servers`. */
const published = new Map([
  ['10.0.1.1:11211', 600],
  ['10.0.1.2:11211', 300],
  ['10.0.1.3:11211', 200],
  ['10.0.1.4:11211', 350],
  ['10.0.1.5:11211', 1000],
  ['10.0.1.6:11211', 800],
  ['10.0.1.7:11211', 950],
  ['10.0.1.8:11211', 100],
])

/** MD5 that `libketama/test.sh` expects of what `ketama_test` prints for the keys 0 to 999,999. */
const PUBLISHED_MILLION = '5672b131391f5aa2b280936aec1eea74'

/** The same for the first thousand keys, as MediaWiki's HashRingTest has it from the C program. */
const PUBLISHED_THOUSAND = 'd1a4912a80e4654ec2e4e462c8b911c6'

const everyone = { accepts: () => true }

function ring(weights: ReadonlyMap<string, number>): RingTable {
  const spec = { kind: 'ring', ids: [...weights.keys()], weights: Float64Array.from(weights.values()), fingerprint: 1 } as const
  return buildTable(spec) as RingTable
}

/** What `ketama_test` prints: an empty line for no error, then hash of the key, point, server. */
function printed(table: RingTable, count: number): string {
  const names = [...published.keys()]
  const hash = createHash('md5').update('\n')
  for (let i = 0; i < count; i++) {
    const key = md5(`${i}`)
    const owner = findInTable(table, key, names.length, everyone)
    const point = table.points.find((value) => value >= key) ?? table.points[0]
    hash.update(`${key} ${point} ${names[owner]}\n`)
  }
  return hash.digest('hex')
}

test("a thousand keys are where libketama's own test puts them", () => {
  assert.equal(printed(ring(published), 1000), PUBLISHED_THOUSAND)
})

test("all million keys of libketama's test, when asked for", { skip: !process.env['KETAMA_ALL'] }, () => {
  assert.equal(printed(ring(published), 1_000_000), PUBLISHED_MILLION)
})

test('known lines of that program', () => {
  const table = ring(published)
  const names = [...published.keys()]
  for (const [key, hash, point, name] of [
    ['0', 2216742351, 2217271743, '10.0.1.1:11211'],
    ['15', 2132603803, 2134614475, '10.0.1.8:11211'],
    ['99', 2977587884, 2978402952, '10.0.1.1:11211'],
  ] as const) {
    assert.equal(md5(key), hash)
    assert.equal(
      table.points.find((value) => value >= hash),
      point,
    )
    assert.equal(names[findInTable(table, hash, names.length, everyone)], name)
  }
})

test('the ring equals one that is computed word by word with node:crypto', () => {
  for (const count of [1, 2, 7, 10]) {
    const names = Array.from({ length: count }, (_, i) => `192.168.1.${100 + i}:11210`)
    const expected = names.flatMap((name, owner) =>
      Array.from({ length: 40 }, (_, k) => createHash('md5').update(`${name}-${k}`).digest()).flatMap((digest) =>
        [0, 4, 8, 12].map((at) => [digest.readUInt32LE(at), owner] as const),
      ),
    )
    expected.sort((a, b) => a[0] - b[0])
    const table = ring(new Map(names.map((name) => [name, 3])))
    assert.deepEqual(
      [...table.points],
      expected.map(([point]) => point),
    )
    assert.deepEqual(
      [...table.owners],
      expected.map(([, owner]) => owner),
    )
  }
})

test('a key behind the last point goes to the first; a point belongs to its own server', () => {
  const table = ring(published)
  assert.equal(findInTable(table, 0xffffffff, 8, everyone), table.owners[0])
  for (const at of [0, 1, 500, table.points.length - 1]) {
    assert.equal(findInTable(table, table.points[at]!, 8, everyone), table.owners[at])
    assert.equal(findInTable(table, table.points[at]! + 1, 8, everyone), table.owners[(at + 1) % table.points.length])
  }
})

test('a server of very little weight has a place on the ring', () => {
  const table = ring(
    new Map([
      ['a:1', 256],
      ['b:1', 1],
      ['c:1', 0],
    ]),
  )
  assert.equal(table.owners.filter((owner) => owner === 1).length, 4)
  assert.equal(table.owners.includes(2), false)
})

test('the picker of an upstream uses that ring', () => {
  const names = [...published.keys()]
  const list = servers([...published.values()]).map((server, i) => ({ ...server, id: names[i]! }))
  const from = picker('consistent-hash', list)
  const at = context(board(8))
  const table = ring(published)
  for (let i = 0; i < 200; i++) {
    at.key = `${i}`
    assert.equal(from.pick(at), findInTable(table, md5(at.key), 8, everyone))
  }
})

test('MD5 of texts of every length up to three blocks, from any place in them', () => {
  for (let length = 0; length < 200; length++) {
    const text = Array.from({ length }, (_, i) => String.fromCharCode((i * 37 + length) & 0xff)).join('')
    const digest = createHash('md5').update(text, 'latin1').digest()
    assert.equal(md5(text), digest.readUInt32LE(0))
    assert.equal(md5(`::ffff:${text}`, 7), digest.readUInt32LE(0))
    assert.deepEqual(
      [...md5Words].map((word) => word >>> 0),
      [0, 4, 8, 12].map((at) => digest.readUInt32LE(at)),
    )
  }
  assert.equal(md5('\u1234'), createHash('md5').update(Buffer.of(0x34, 0x12)).digest().readUInt32LE(0))
})
