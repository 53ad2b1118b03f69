import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { Request } from '../../../src/index-types.ts'
import { loadConfig, loadPinned } from '../../../src/shared/config/load.ts'
import type { Config } from '../../../src/shared/config/model.ts'
import { changedFiles, isSamePinned, type PinnedModule, pinModule } from '../../../src/shared/config/pinned.ts'
import { problemLine } from '../../../src/shared/config/problem.ts'

/** Writes files into a new directory, whose real path is answered. */
function tree(files: Record<string, string>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'weir-pinned-')))
  write(root, files)
  return root
}

function write(root: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
}

async function configOf(pinned: PinnedModule): Promise<Config> {
  // As it comes to another process.
  const result = await loadPinned(JSON.parse(JSON.stringify(pinned)) as PinnedModule, {})
  assert.ok(result.ok, result.ok ? '' : result.problems.map(problemLine).join('\n'))
  return result.config
}

async function answerOf(pinned: PinnedModule): Promise<unknown> {
  const route = (await configOf(pinned)).listeners[0]?.routes[0]
  return route?.onRequest?.({} as Request)
}

const configText = (imports: string, body: string) => `
  ${imports}
  export default {
    listeners: { web: { bind: ':8080', routes: [{ match: {}, upstream: 'api', onRequest: ${body} }] } },
    upstreams: { api: { servers: ['10.0.0.1:80'] } },
  }`

test('what was pinned runs as it was, although the file and what it imports changed or went', async () => {
  const root = tree({
    'weir.config.ts': configText(
      "import { defineConfig } from 'weir'\nimport { name } from './lib/name.js'\nvoid defineConfig",
      '() => ({ upstream: name as string })',
    ),
    'lib/name.ts': "import { part } from './part'\nexport const name: string = 'first' + part",
    'lib/part/index.ts': "export const part = ' part'",
  })
  const pinned = await pinModule(join(root, 'weir.config.ts'))
  write(root, { 'weir.config.ts': configText('', '() => undefined'), 'lib/name.ts': "export const name = 'second'" })
  rmSync(join(root, 'lib', 'part'), { recursive: true })
  assert.deepEqual(await answerOf(pinned), { upstream: 'first part' })
  assert.deepEqual(
    Object.keys(pinned.files)
      .map((path) => path.slice(root.length + 1))
      .toSorted(),
    ['lib/name.ts', 'lib/part/index.ts', 'weir.config.ts'],
  )
})

for (const ending of ['ts', 'mts', 'js', 'mjs']) {
  test(`a .${ending} config is read anew by each load, and not by a pinned one`, async () => {
    const name = `weir.config.${ending}`
    const text = (value: string) => configText(`import { value } from './value.${ending}'`, `() => ({ upstream: value + '${value}' })`)
    const root = tree({ [name]: text('a'), [`value.${ending}`]: "export const value = 'a'", 'package.json': '{ "type": "module" }' })
    const pinned = await pinModule(join(root, name))
    assert.deepEqual(await answerOf(pinned), { upstream: 'aa' })
    write(root, { [name]: text('b'), [`value.${ending}`]: "export const value = 'b'" })
    assert.deepEqual(await answerOf(pinned), { upstream: 'aa' })
    const loaded = await loadConfig(join(root, name), {})
    assert.ok(loaded.ok)
    assert.deepEqual(await loaded.config.listeners[0]?.routes[0]?.onRequest?.({} as Request), { upstream: 'bb' })
  })
}

test('CommonJS configs, what they require and JSON are pinned', async () => {
  const root = tree({
    'weir.config.cjs':
      "const { port } = require('./port')\nconst names = require('./names.json')\nmodule.exports = { listeners: { web: { bind: ':' + port, upstream: names.one } }, upstreams: { api: { servers: ['h:1'] } } }",
    'port.cjs': 'exports.port = require("./base.js").base + 1',
    'base.js': 'exports.base = 8079',
    'names.json': '{ "one": "api" }',
  })
  const pinned = await pinModule(join(root, 'weir.config.cjs'))
  write(root, { 'port.cjs': 'exports.port = 1', 'base.js': '', 'names.json': '{}', 'weir.config.cjs': '' })
  const config = await configOf(pinned)
  assert.equal(config.listeners[0]?.bind[0]?.text, ':8080')
  assert.equal(Object.keys(pinned.files).length, 4)
})

test('CommonJS can be imported as Node would', async () => {
  const root = tree({
    'weir.config.mjs': configText("import whole, { name } from './a.cjs'", '() => ({ upstream: [whole.name, name].join() })'),
    'a.cjs': "module.exports = { name: 'a' }",
  })
  assert.deepEqual(await answerOf(await pinModule(join(root, 'weir.config.mjs'))), { upstream: 'a,a' })
})

test('JSON can be imported, by name and as a whole, and circles of imports end', async () => {
  const root = tree({
    'weir.config.ts': configText(
      "import whole, { one } from './names.json' with { type: 'json' }\nimport { even } from './even.ts'",
      '() => ({ upstream: [whole.one, one, even(4)].join() })',
    ),
    'names.json': '{ "one": "api" }',
    'even.ts': "import { odd } from './odd.ts'\nexport const even = (n: number): boolean => n === 0 || odd(n - 1)",
    'odd.ts': "import { even } from './even.ts'\nexport const odd = (n: number): boolean => n !== 0 && even(n - 1)",
  })
  assert.deepEqual(await answerOf(await pinModule(join(root, 'weir.config.ts'))), { upstream: 'api,api,true' })
})

test('what a function imports when it is called is the text of then', async () => {
  const root = tree({
    'weir.config.ts': configText('', "async () => ({ upstream: (await import('./late.ts')).name })"),
    'late.ts': "export const name = 'first'",
  })
  const config = await configOf(await pinModule(join(root, 'weir.config.ts')))
  write(root, { 'late.ts': "export const name = 'second'" })
  assert.deepEqual(await config.listeners[0]?.routes[0]?.onRequest?.({} as Request), { upstream: 'first' })
})

test('packages are found from where the file is, and its own place is the original one', async () => {
  const root = tree({
    'etc/weir.config.ts': configText(
      "import { tag } from 'some-package'",
      '() => ({ upstream: [tag, import.meta.url, import.meta.dirname].join() })',
    ),
    'node_modules/some-package/package.json': '{ "name": "some-package", "type": "module", "exports": "./index.js" }',
    'node_modules/some-package/index.js': "export const tag = 'packaged'",
  })
  const path = join(root, 'etc', 'weir.config.ts')
  assert.deepEqual(await answerOf(await pinModule(path)), { upstream: `packaged,file://${path},${dirname(path)}` })
})

test('a symbolic link is followed, and imports start from where the file really is', async () => {
  const root = tree({
    'real/a.ts': configText("import { name } from './b.ts'", '() => ({ upstream: name })'),
    'real/b.ts': "export const name = 'real'",
  })
  symlinkSync('real/a.ts', join(root, 'weir.config.ts'))
  const pinned = await pinModule(join(root, 'weir.config.ts'))
  assert.deepEqual(await answerOf(pinned), { upstream: 'real' })
  assert.equal((await configOf(pinned)).source, join(root, 'weir.config.ts'))
})

test('two pins are the same program when all texts are', async () => {
  const root = tree({ 'weir.config.ts': configText("import './a.ts'", '() => undefined'), 'a.ts': '1' })
  const path = join(root, 'weir.config.ts')
  const before = await pinModule(path)
  assert.ok(isSamePinned(before, await pinModule(path)))
  write(root, { 'a.ts': '2' })
  const after = await pinModule(path)
  assert.ok(!isSamePinned(before, after))
  assert.deepEqual(changedFiles(before, after), [join(root, 'a.ts')])
})

test('errors name the place, as when the file itself is run', async () => {
  const root = tree({
    'weir.config.ts': 'export default {\n  listeners: [\n}',
    'b.config.ts': "import './none.ts'\nexport default {}",
    'c.config.ts': "\nthrow new Error('no luck')",
  })
  const lines = async (name: string) => {
    const result = await loadPinned(await pinModule(join(root, name)), {})
    return result.ok ? [] : result.problems.map((problem) => problemLine(problem).replaceAll(`${root}/`, ''))
  }
  assert.match((await lines('weir.config.ts'))[0] ?? '', /^weir\.config\.ts:3:\d+: the config cannot be run: /)
  assert.match((await lines('b.config.ts'))[0] ?? '', /^b\.config\.ts.*Cannot find module '\.\/none\.ts'/)
  assert.match((await lines('c.config.ts'))[0] ?? '', /^c\.config\.ts:2:\d+: the config cannot be run: no luck$/)
})

test('a program of too many files or bytes is refused', async () => {
  const many = Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`m${index}.ts`, `import './m${index + 1}.ts'`]))
  const root = tree({
    ...many,
    'm201.ts': '',
    'large.ts': `// ${'x'.repeat(5 * 1024 * 1024)}`,
    'big.ts': `import './large.ts' // ${'x'.repeat(5 * 1024 * 1024)}`,
  })
  await assert.rejects(pinModule(join(root, 'm0.ts')), /imports more than 200 files/)
  await assert.rejects(pinModule(join(root, 'big.ts')), /larger than 8MiB/)
  await assert.rejects(pinModule(join(root, 'none.ts')), /no such file/)
})
