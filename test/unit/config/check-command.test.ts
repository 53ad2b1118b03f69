import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { configWith, file } from './helper.ts'

const root = new URL('../../../', import.meta.url)
function weir(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['dist/main.js', ...words], { cwd: fileURLToPath(root), timeout: 30_000 }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err })
    })
  })
}

test('weir check says what a valid config holds and exits with 0', async () => {
  const path = file('good.yaml', configWith())
  assert.deepEqual(await weir('check', path), { code: 0, out: `${path}: ok (1 listener, 1 route, 1 upstream, 1 server)\n`, err: '' })
  const { code, out } = await weir('check', '--json', '-c', path)
  const { schema, generation, data } = JSON.parse(out)
  assert.deepEqual([code, schema, generation, data.ok, data.routes], [0, 'weir.check/1', null, true, 1])
})

test('weir check names the problems and exits with 1', async () => {
  const path = file('bad.yaml', configWith({ root: 'wrokers: 1' }))
  const text = await weir('check', '--config', path)
  assert.deepEqual([text.code, text.out], [1, ''])
  assert.match(text.err, /bad\.yaml:1:1: wrokers: unknown key, did you mean "workers"\?\n {2}1 \| wrokers: 1\n {4}\| \^{7}\n/)
  const json = await weir('check', path, '--json')
  const { data } = JSON.parse(json.out)
  assert.deepEqual([json.code, data.ok, data.problems[0].line, data.problems[0].path], [1, false, 1, 'wrokers'])
})

test('weir schema prints the JSON Schema', async () => {
  const { code, out } = await weir('schema')
  assert.equal(code, 0)
  assert.equal(JSON.parse(out).title, 'weir configuration')
})

test('the examples are valid', async () => {
  for (const path of ['examples/http-basic/weir.yaml', 'examples/typescript/weir.config.ts'])
    assert.equal((await weir('check', path)).code, 0, path)
})
