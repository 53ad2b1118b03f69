import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parse } from 'yaml'
import { parseServerAddress } from '../../../src/shared/config/address.ts'
import { configFromText } from '../../../src/shared/config/load.ts'
import type { ServerConfig } from '../../../src/shared/config/model.ts'
import type { SavedOverride } from '../../../src/shared/config/save/overrides.ts'
import { saveOverrides } from '../../../src/shared/config/save/save.ts'
import { ControlError } from '../../../src/shared/control/requests.ts'

const head = 'listeners: { web: { bind: ":8080", upstream: api } } # one\nupstreams:\n'

function override(server: string, what: SavedOverride['what'], value: string, added?: Partial<ServerConfig>): SavedOverride {
  const parsed = parseServerAddress(value)
  const name = server.slice(server.indexOf('/') + 1)
  const extra = added &&
    parsed.ok && { added: { name, address: parsed.value, weight: 1, maxConnections: null, tier: 0, zone: null, ...added } }
  return { server, what, value, since: '2024-01-01T00:00:00Z', conflict: null, ...extra }
}

/** The part of the text below `upstreams`. */
function saved(servers: string, overrides: SavedOverride[], env = {}): string {
  const { text } = saveOverrides(head + servers, 'weir.yaml', overrides, env)
  assert.ok(text.startsWith(head))
  return text.slice(head.length)
}

function refusal(text: string, overrides: SavedOverride[], file = 'weir.yaml'): ControlError {
  try {
    saveOverrides(text, file, overrides, {})
  } catch (error) {
    assert.ok(error instanceof ControlError)
    return error
  }
  return assert.fail('it was saved')
}

test('a weight is written as a share of the configured one, rounded and at least 1', () => {
  const servers = '  api: { servers: [ { name: a, address: "h:1", weight: 3 }, { name: b, address: "h:2", weight:   7} ] }\n'
  const after = saved(servers, [override('api/a', 'weight', '50%'), override('api/b', 'weight', '1%')])
  assert.equal(after, servers.replace('weight: 3', 'weight: 2').replace('weight:   7', 'weight:   1'))
  assert.equal(saved(servers, [override('api/a', 'weight', '0%')]), servers.replace('weight: 3', 'weight: 0'))
  assert.equal(saved(servers, [override('api/a', 'weight', '300%')]), servers.replace('weight: 3', 'weight: 9'))
})

test('a weight in percent stays one', () => {
  const servers = '  api:\n    servers:\n      - { address: "h:1", weight: 80% }\n      - address: h:2\n        weight: "20%" # canary\n'
  const after = saved(servers, [override('api/h:1', 'weight', '50%'), override('api/h:2', 'weight', '50%')])
  assert.equal(after, servers.replace('80%', '40%').replace('"20%"', '10%'))
})

test('short forms become maps, with comments and spaces as they were', () => {
  const servers = '  api:\n    servers:\n    # first\n    -   h:1   # main\n\n    - "[::1]:80"\n    - ${HOST:-h}:2 # env\n    - h:3\n'
  const twice = (id: string) => override(id, 'weight', '200%')
  assert.equal(
    saved(servers, [twice('api/h:1'), twice('api/[::1]:80'), twice('api/h:2')]),
    '  api:\n    servers:\n    # first\n    -   { address: h:1, weight: 2 }   # main\n\n    - { address: "[::1]:80", weight: 2 }\n' +
      '    - { address: "${HOST:-h}:2", weight: 2 } # env\n    - h:3\n',
  )
})

test('a map over several lines gets a line more', () => {
  const servers =
    '  api:\n    servers:\n      - name: a # who\n        address: h:1 # where\n        # why\n        zone: z\n      - name: b\n        address: h:2\n'
  assert.equal(
    saved(servers, [override('api/a', 'weight', '300%'), override('api/b', 'weight', '200%')]),
    servers.replace('# where\n', '# where\n        weight: 3\n').replace('h:2\n', 'h:2\n        weight: 2\n'),
  )
})

test('a weight from the environment gives way to a number', () => {
  const servers = '  api: { servers: [ { address: "h:1", weight: "${W}" }, { address: "h:2", weight: "${W}" } ] }\n'
  assert.equal(saved(servers, [override('api/h:1', 'weight', '50%')], { W: '4' }), servers.replace('"${W}"', '2'))
})

test('added servers are written behind the others, in their style', () => {
  const block = '  api:\n    servers:\n      - h:1\n      - name: b\n        address: h:2 # two\n    # balance\n    balance: first\n'
  assert.equal(
    saved(block, [
      override('api/10.0.0.9:80', 'added', '10.0.0.9:80'),
      override('api/c', 'added', '10.0.0.9:81', { weight: 4, maxConnections: 9, tier: 1, zone: 'z' }),
    ]),
    block.replace(
      '# two\n',
      '# two\n      - 10.0.0.9:80\n      - name: c\n        address: 10.0.0.9:81\n        weight: 4\n        maxConnections: 9\n        tier: 1\n        zone: z\n',
    ),
  )
  assert.equal(
    saved('  api: { servers: [h:1, h:2] }\n', [override('api/x', 'added', 'h:3')]),
    '  api: { servers: [h:1, h:2, { name: x, address: h:3 }] }\n',
  )
  assert.equal(
    saved('  api:\n    servers: [\n      h:1,\n      h:2, # two\n    ]\n', [override('api/h:3', 'added', 'h:3')]),
    '  api:\n    servers: [\n      h:1,\n      h:2, # two\n      h:3,\n    ]\n',
  )
  assert.equal(
    saved('  api:\n    servers: [\n      h:1,\n      h:2 # two\n    ]\n', [override('api/h:3', 'added', 'h:3')]),
    '  api:\n    servers: [\n      h:1,\n      h:2, # two\n      h:3\n    ]\n',
  )
  assert.equal(
    saved('  api:\n    servers:\n      - h:1', [override('api/h:3', 'added', 'h:3')]),
    '  api:\n    servers:\n      - h:1\n      - h:3',
  )
  assert.equal(
    saved('  api:\r\n    servers:\r\n      - h:1\r\n', [override('api/h:3', 'added', 'h:3')]),
    '  api:\r\n    servers:\r\n      - h:1\r\n      - h:3\r\n',
  )
})

test('a server that is added among percentages has one', () => {
  const servers = '  api:\n    servers:\n      - { address: h:1, weight: 80% }\n'
  assert.equal(saved(servers, [override('api/h:3', 'added', 'h:3', { weight: 20 })]), `${servers}      - { address: h:3, weight: 20% }\n`)
})

test('the weight override of an added server is part of its entry', () => {
  const both = [override('api/h:3', 'added', 'h:3', { weight: 10 }), override('api/h:3', 'weight', '50%')]
  assert.equal(saved('  api: { servers: [h:1] }\n', both), '  api: { servers: [h:1, { address: h:3, weight: 5 }] }\n')
})

test('removed servers go with their own comments, and those above stay', () => {
  const servers =
    '  api:\n    servers:\n      # group\n      - h:1 # one\n      - name: b # two\n        address: h:2\n        # inner\n        zone: z\n      # tail\n      - h:3\n'
  assert.equal(
    saved(servers, [override('api/h:1', 'removed', ''), override('api/b', 'removed', '')]),
    '  api:\n    servers:\n      # group\n      # tail\n      - h:3\n',
  )
  assert.equal(saved(servers, [override('api/h:3', 'removed', '')]), servers.replace('      - h:3\n', ''))
})

test('removal in brackets keeps commas right', () => {
  const one = '  api: { servers: [h:1, h:2,  h:3] }\n'
  const gone = (...ids: string[]) => ids.map((id) => override(`api/${id}`, 'removed', ''))
  assert.equal(saved(one, gone('h:1')), '  api: { servers: [h:2,  h:3] }\n')
  assert.equal(saved(one, gone('h:2')), '  api: { servers: [h:1,  h:3] }\n')
  assert.equal(saved(one, gone('h:2', 'h:3')), '  api: { servers: [h:1] }\n')
  assert.equal(saved(one, gone('h:1', 'h:2')), '  api: { servers: [h:3] }\n')
  const lined = '  api:\n    servers: [\n      h:1, # one\n      h:2, # two\n      h:3 # three\n    ]\n'
  assert.equal(saved(lined, gone('h:3')), '  api:\n    servers: [\n      h:1, # one\n      h:2 # two\n    ]\n')
  assert.equal(saved(lined, gone('h:1')), lined.replace('      h:1, # one\n', ''))
})

test('JSON stays JSON', () => {
  const servers = ['h:1', { name: 'b', address: 'h:2' }, { name: 'c', address: 'h:3', weight: 4 }, 'h:4']
  const value = { listeners: { web: { bind: ':1', upstream: 'api' } }, upstreams: { api: { servers } } }
  const overrides = [
    override('api/h:1', 'weight', '200%'),
    override('api/b', 'weight', '200%'),
    override('api/c', 'weight', '50%'),
    override('api/h:4', 'removed', ''),
    override('api/x', 'added', 'h:5'),
  ]
  for (const space of [0, 2]) {
    const { text } = saveOverrides(JSON.stringify(value, null, space), 'weir.json', overrides, {})
    assert.deepEqual(JSON.parse(text).upstreams.api.servers, [
      { address: 'h:1', weight: 2 },
      { name: 'b', address: 'h:2', weight: 2 },
      { name: 'c', address: 'h:3', weight: 2 },
      { name: 'x', address: 'h:5' },
    ])
  }
})

test('what no config can say stays an override, and the answer says so', () => {
  const text = `${head}  api: { servers: [h:1, { dns: "app.internal:80" }] }\n`
  const overrides = [
    override('api/h:1', 'admin', 'drain'),
    override('api/10.0.0.5:80', 'weight', '50%'),
    override('api/10.0.0.5:80', 'removed', ''),
    override('gone/x', 'added', 'h:5'),
    override('api/h:1', 'weight', '100%'),
  ]
  const result = saveOverrides(text, 'weir.yaml', overrides, {})
  assert.equal(result.text, text)
  assert.deepEqual(result.edits, [
    'api/h:1: drain cannot stand in a config and stays',
    'api/10.0.0.5:80: the file does not list it; its removal stays an override',
    'gone/x: the file has no upstream gone; the added server stays an override',
    'api/h:1: weight stays 1, as 100% of it rounds to that',
  ])
  assert.deepEqual(
    result.kept.map(({ server, what }) => `${server} ${what}`),
    ['api/h:1 admin', 'api/10.0.0.5:80 removed', 'gone/x added'],
  )
})

test('anchors and aliases that are not concerned stay', () => {
  const servers =
    '  api:\n    servers: &all\n      - &one h:1\n      - h:2\n    timeouts: &t { connect: 1s }\n  other:\n    servers: [ *one, { name: b, address: *one } ]\n    timeouts: *t\n'
  const after = saved(servers, [override('api/h:2', 'weight', '200%'), override('other/h:1', 'weight', '300%')])
  assert.equal(after, servers.replace('- h:2', '- { address: h:2, weight: 2 }').replace('[ *one,', '[ { address: *one, weight: 3 },'))
})

test('a change that an alias would carry elsewhere is refused and said how to do by hand', () => {
  const shared = `${head}  api:\n    servers: &all [h:1, h:2]\n  other:\n    servers: *all\n`
  const own = refusal(shared, [override('api/h:1', 'weight', '200%')])
  assert.equal(own.code, 'refused')
  assert.equal(
    own.message,
    'the overrides cannot be written into weir.yaml without changing more than them; change by hand:\n  upstreams.api.servers: 200% of the weight of h:1',
  )
  assert.match(
    refusal(shared, [override('other/h:1', 'removed', '')]).message,
    /stand elsewhere in weir\.yaml and are used by an alias \(\*all\)/,
  )
  assert.match(
    refusal(`${head}  api:\n    servers: [&one h:1, h:2]\n  other:\n    servers: [*one]\n`, [override('api/h:1', 'removed', '')]).message,
    /no anchor &one|alias/i,
  )
})

test('a config that would not be valid is refused', () => {
  const text = `${head}  api: { servers: [h:1, h:2] }\n`
  assert.match(
    refusal(text, [override('api/h:1', 'weight', '0%'), override('api/h:2', 'weight', '0%')]).message,
    /every server has weight 0/,
  )
  assert.equal(
    refusal(text, [override('api/h:1', 'removed', ''), override('api/h:2', 'removed', '')]).message,
    'upstream api would have no server left in the file',
  )
  assert.equal(refusal('listeners: 1\n', [override('api/h:1', 'weight', '0%')]).code, 'invalid-config')
})

test('programs are refused with what to change', () => {
  const { code, message } = refusal(
    '',
    [override('api/a', 'weight', '50%'), override('api/c', 'added', 'h:3'), override('api/b', 'removed', '')],
    'weir.config.ts',
  )
  assert.equal(code, 'refused')
  assert.equal(
    message,
    [
      'weir.config.ts is a program, which weir does not rewrite; change by hand:',
      '  upstreams.api.servers: 50% of the weight of a',
      '  upstreams.api.servers: add { name: c, address: h:3 }',
      '  upstreams.api.servers: remove b',
    ].join('\n'),
  )
})

const entryText = fc.constantFrom('short', 'flow', 'block', 'weighted', 'quoted')
const shape = fc.record({
  entries: fc.array(entryText, { minLength: 2, maxLength: 6 }),
  layout: fc.constantFrom('block', 'brackets', 'lines'),
  comments: fc.boolean(),
  gone: fc.nat(),
  share: fc.integer({ min: 1, max: 300 }),
  adds: fc.integer({ min: 0, max: 2 }),
})

test('in any style exactly the overrides are applied, and every comment that is not of a removed server stays', () => {
  fc.assert(
    fc.property(shape, ({ entries, layout, comments, gone, share, adds }) => {
      const text = head + listText(entries, layout, comments)
      const index = gone % entries.length
      const weighed = (index + 1) % entries.length
      const overrides = [
        override(`api/h:${index + 1}`, 'removed', ''),
        override(`api/h:${weighed + 1}`, 'weight', `${share}%`),
        ...Array.from({ length: adds }, (_, at) => override(`api/n${at}`, 'added', `h:${at + 90}`)),
      ]
      const result = saveOverrides(text, 'weir.yaml', overrides, {})
      const names = (one: string) => {
        const loaded = configFromText(one, 'weir.yaml', {})
        assert.ok(loaded.ok)
        return loaded.config.upstreams[0]?.servers.map(({ name }) => name) ?? []
      }
      assert.deepEqual(names(result.text), [
        ...names(text).filter((_, at) => at !== index),
        ...Array.from({ length: adds }, (_, at) => `n${at}`),
      ])
      for (const comment of text.match(/# (c|above)\d+/g) ?? [])
        if (comment !== `# c${index + 1}`) assert.ok(result.text.includes(comment), `${comment}\n${text}\n${result.text}`)
      assert.equal(typeof parse(result.text), 'object')
    }),
    { numRuns: 300 },
  )
})

function listText(entries: string[], layout: string, comments: boolean): string {
  const text = (kind: string, at: number) => {
    const address = `h:${at}`
    if (kind === 'short') return address
    if (kind === 'quoted') return `'${address}'`
    if (kind === 'block' && layout === 'block') return `address: ${address}\n        zone: z`
    return kind === 'weighted' ? `{ address: ${address}, weight: 9 }` : `{ name: "${address}", address: "${address}" }`
  }
  const items = entries.map((kind, index) => ({
    text: text(kind, index + 1),
    note: comments ? ` # c${index + 1}` : '',
    above: comments ? `      # above${index + 1}\n` : '',
  }))
  const noted = (item: (typeof items)[number], comma: string) =>
    item.text.includes('\n') ? item.text.replace('\n', `${comma}${item.note}\n`) : `${item.text}${comma}${item.note}`
  if (layout === 'brackets') return `  api: { servers: [${items.map((item) => item.text).join(', ')}] }\n`
  if (layout === 'lines')
    return `  api:\n    servers: [\n${items.map((item, at) => `${item.above}      ${noted(item, at < items.length - 1 ? ',' : '')}`).join('\n')}\n    ]\n`
  return `  api:\n    servers:\n${items.map((item) => `${item.above}      - ${noted(item, '')}`).join('\n')}\n`
}
