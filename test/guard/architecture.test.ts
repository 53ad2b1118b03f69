import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Layer, loadsIndex, nativeLayers, stageNames, typescriptLayers } from './layers.ts'
import { codeOf, filesIn, importsOf, includesOf, localImportsOf, textOf } from './lib/sources.ts'

const source = filesIn('src', /\.ts$/)
const ours = [...source, ...filesIn('test', /\.ts$/), ...filesIn('scripts', /\.ts$/), ...filesIn('bench', /\.ts$/)]
const native = filesIn('native', /\.(cc|h)$/)

/** Name of the layer that a path is in. */
function layerOf(path: string): string {
  const fitting = Object.entries(typescriptLayers).filter(([, { at }]) => (at.endsWith('/') ? path.startsWith(at) : path === at))
  const longest = fitting.sort(([, a], [, b]) => b.at.length - a.at.length)[0]
  assert.ok(longest, `${path} is in no layer: give it one in test/guard/layers.ts`)
  return longest[0]
}

/** `from -> to` for every import inside src. */
const edges = source.flatMap((from) => localImportsOf(from).map((to) => ({ from, to })))
const lines = (found: { from: string; to: string }[]) => found.map(({ from, to }) => `${from} imports ${to}`)

/** Files in which a pattern of code occurs, with the line. */
function occurrences(paths: string[], pattern: RegExp): string[] {
  return paths.flatMap((path) => {
    const match = pattern.exec(codeOf(path))
    return match === null ? [] : [`${path}: ${match[0].trim()}`]
  })
}

test('the guard sees imports of every kind', () => {
  assert.ok(edges.length > 150, `only ${edges.length} imports were found`)
  assert.deepEqual(localImportsOf('src/main.ts'), ['src/cli/descriptors.ts', 'src/worker/worker.ts', 'src/cli/cli.ts'])
  assert.ok(localImportsOf('src/worker/route/router.ts').length > 3)
})

test('an import points to a layer that the table allows', () => {
  const wrong = edges.filter(({ from, to }) => {
    const [layer, other] = [layerOf(from), layerOf(to)]
    return layer !== other && !(typescriptLayers[layer] as Layer).may.includes(other)
  })
  assert.deepEqual(lines(wrong.filter(({ from, to }) => !(to === 'src/index.ts' && from in loadsIndex))), [])
})

test('primary and worker never import each other', () => {
  const sideOf = (path: string) => /^src\/(primary|worker)\//.exec(path)?.[1]
  const crossing = edges.filter(({ from, to }) => sideOf(from) !== undefined && sideOf(to) !== undefined && sideOf(from) !== sideOf(to))
  assert.deepEqual(lines(crossing), [])
})

test('the stages of an exchange never import each other', () => {
  const stageOf = (path: string) => stageNames.find((stage) => path.startsWith(`src/worker/${stage}/`))
  const crossing = edges.filter(({ from, to }) => stageOf(from) !== undefined && stageOf(to) !== undefined && stageOf(from) !== stageOf(to))
  assert.deepEqual(lines(crossing), [])
})

test('nothing inside src imports the public index, but for what is documented', () => {
  assert.deepEqual(lines(edges.filter(({ to }) => to === 'src/index.ts')), [])
  const loading = source.filter((path) => /entryPoint\('index'\)/.test(textOf(path)))
  assert.deepEqual(loading, Object.keys(loadsIndex))
})

test('only src/native/addon.ts loads the native addon', () => {
  const loading = source.filter((path) => /\.node['"`]|\bdlopen\b/.test(textOf(path)))
  assert.deepEqual(loading, ['src/native/addon.ts'])
})

test('no file but the public index re-exports others', () => {
  const barrels = source.filter((path) => /^export\b[^=]*?\bfrom\s*'/m.test(textOf(path)))
  assert.deepEqual(barrels, ['src/index.ts'])
})

test('stages take time and chance as arguments, and wait for nothing', () => {
  const stages = source.filter((path) => stageNames.some((stage) => path.startsWith(`src/worker/${stage}/`)))
  assert.deepEqual(
    occurrences(stages, /\bDate\.now\b|\bnew Date\b|\bperformance\.now\b|\bhrtime\b|\bMath\.random\b|\bawait\b|\basync\b/),
    [],
  )
})

test('there are no default exports', () => {
  assert.deepEqual(
    occurrences(
      ours.filter((path) => !path.endsWith('.d.ts')),
      /\bexport\s+default\b|\bas\s+default\b/,
    ),
    [],
  )
})

test('nothing is any', () => {
  assert.deepEqual(occurrences(ours, /(?::|\bas|<|\||=>)\s*any\b(?!\s*[:(])|\bany\[\]/), [])
})

test('an import of types only is written `import type`', () => {
  const inline = ours.flatMap((path) =>
    [...textOf(path).matchAll(/^import\s*\{([^}]*)\}\s*from\s*'[^']+'/gm)].map((match) => ({ path, names: match[1] as string })),
  )
  const wrong = inline.filter(({ names }) => names.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type ')))
  assert.deepEqual(
    wrong.map(({ path, names }) => `${path}: {${names}}`),
    [],
  )
})

test('relative imports name the file, with its ending', () => {
  const wrong = ours.flatMap((path) =>
    importsOf(path)
      .filter((name) => name.startsWith('.') && !/\.(ts|json)$/.test(name))
      .map((name) => `${path}: ${name}`),
  )
  assert.deepEqual(wrong, [])
})

test('only native/binding knows Node', () => {
  const knowing = native.filter((path) =>
    /^\s*#\s*include\s*[<"](node_api|js_native_api|node|uv|v8|napi)[\w./]*\.h[>"]/m.test(textOf(path)),
  )
  assert.deepEqual(
    knowing.filter((path) => !path.startsWith('native/binding/')),
    [],
  )
  assert.ok(knowing.length > 0)
})

test('an include points to a layer that the table allows', () => {
  const folderOf = (path: string) => path.split('/')[0] as string
  const wrong = native.flatMap((path) => {
    const own = folderOf(path.slice('native/'.length))
    const may = nativeLayers[own]
    assert.ok(may, `${path} is in no layer: give it one in test/guard/layers.ts`)
    return includesOf(path)
      .filter((header) => folderOf(header) !== own && !may.includes(folderOf(header)))
      .map((header) => `${path} includes ${header}`)
  })
  assert.deepEqual(wrong, [])
})

test('http does not include tcp: the engine joins them', () => {
  const http = native.filter((path) => path.startsWith('native/http/'))
  assert.deepEqual(
    http.filter((path) => includesOf(path).some((header) => header.startsWith('tcp/'))),
    [],
  )
})

test('C++ throws nothing', () => {
  assert.deepEqual(occurrences(native, /\bthrow\b|\btry\s*\{|\bdynamic_cast\b|\btypeid\b/), [])
})

test('every C++ file of the addon is built', () => {
  const built = [...textOf('native/binding.gyp').matchAll(/"([a-z_]+\/[a-z_]+\.cc)"/g)].map((match) => `native/${match[1]}`)
  assert.deepEqual(built.sort(), native.filter((path) => path.endsWith('.cc')).sort())
})
