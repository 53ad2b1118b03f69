import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { cut, table } from '../../../src/cli/table.ts'
import { ago, counted, grouped, printable, span } from '../../../src/cli/words.ts'

const columns = [{ title: 'NAME' }, { title: 'COUNT', align: 'right' as const }, { title: 'WHY' }]
const wide = { width: null, hasColour: false }

test('columns are aligned, and one in which nothing stands is left out', () => {
  assert.equal(
    table(
      columns,
      [
        ['a', '1', ''],
        ['long', '12', ''],
      ],
      wide,
    ),
    'NAME  COUNT\na         1\nlong     12\n',
  )
  assert.equal(table(columns, [['a', '1', 'because']], wide), 'NAME  COUNT  WHY\na         1  because\n')
})

test('colour does not count as width', () => {
  const rows = [
    [{ text: 'a', colour: 'red' as const }, '1', 'x'],
    ['bb', '2', 'y'],
  ]
  const inked = table(columns, rows, { width: null, hasColour: true })
  assert.match(inked, /31ma/)
  assert.equal(stripVTControlCharacters(inked), table(columns, rows, wide))
})

test('the last column is cut to the screen, but not to nothing', () => {
  const rows = [['a', '1', 'a very long reason that goes on and on']]
  assert.equal(table(columns, rows, { width: 34, hasColour: false }), 'NAME  COUNT  WHY\na         1  a very long reason t…\n')
  assert.match(table(columns, rows, { width: 5, hasColour: false }), / {2}a very long…\n$/)
})

test('texts are cut with a sign', () => {
  assert.deepEqual([cut('four', 4), cut('fives', 4), cut('a b', 2), cut('ab', 0)], ['four', 'fiv…', 'a…', '…'])
})

test('times are told in the unit that fits', () => {
  const times = [
    0, 0.84, 9.94, 9.96, 850, 999.4, 999.6, 4_200, 59_900, 59_960, 60_000, 192_000, 3_600_000, 18_120_000, 86_400_000, 273_600_000,
  ]
  assert.deepEqual(times.map(span), [
    ...['0 ms', '0.8 ms', '9.9 ms', '10 ms', '850 ms', '999 ms', '1 s', '4.2 s', '59.9 s'],
    ...['1 m', '1 m', '3 m 12 s', '1 h', '5 h 2 m', '1 d', '3 d 4 h'],
  ])
  assert.deepEqual([0, 1_400, 9_900, 61_000, 7_300_000].map(ago), ['1 s ago', '1 s ago', '9 s ago', '1 m ago', '2 h ago'])
})

test('numbers and nouns go together', () => {
  assert.deepEqual(
    [counted(1, 'exchange'), counted(0, 'exchange'), counted(1204, 'exchange')],
    ['1 exchange', '0 exchanges', '1,204 exchanges'],
  )
  assert.equal(grouped(0.5), '0.5')
})

test('foreign text keeps to its line and steers nothing', () => {
  assert.equal(printable('a\r\n b\u001b[2J\u202e'), 'a b\ufffd[2J\ufffd')
})
