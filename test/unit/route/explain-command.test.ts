import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const directory = mkdtempSync(join(tmpdir(), 'weir-explain-'))
after(() => rmSync(directory, { recursive: true }))

const file = join(directory, 'weir.yaml')
writeFileSync(
  file,
  `
listeners:
  web:
    bind: "127.0.0.1:8080"
    protocol: http
    routes:
      - match: { host: api.example.com, path: /v1/ }
        upstream: api
        rewrite: { stripPrefix: /v1 }
        headers: { request: { set: { X-Env: prod } } }
      - match: { host: api.example.com, path: /v1/, method: POST }
        split: { api: 90%, canary: 10% }
      - match: { path: =/old }
        redirect: { to: "/new?{query}", status: 308 }
upstreams:
  api: { servers: ["127.0.0.1:9001"] }
  canary: { servers: ["127.0.0.1:9002"] }
`,
)

function explain(...args: string[]) {
  const script = `import yargs from 'yargs'
    import { explainCommand } from ${JSON.stringify(new URL('../../../src/cli/explain.ts', import.meta.url).href)}
    await yargs(process.argv.slice(1)).command(explainCommand).strict().parseAsync()`
  const run = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, 'explain', ...args], {
    encoding: 'utf8',
    timeout: 30_000,
  })
  return { code: run.status, out: run.stdout, err: run.stderr }
}

test('explain names the route, the reasons, and the request after rewriting', () => {
  const { code, out, err } = explain('GET', 'http://api.example.com:8080/v1/a/../users?x=1', '--config', file)
  assert.equal(code, 0, err)
  assert.match(out, /request +GET api\.example\.com\/v1\/users\?x=1 from 127\.0\.0\.1/)
  assert.match(out, /skipped +listeners\.web\.routes\[1\] .*wants method POST, method is GET/)
  assert.match(out, /chosen +listeners\.web\.routes\[0\] /)
  assert.match(out, /upstream +api: 127\.0\.0\.1:9001\ntarget +\/users\?x=1\nhost +api\.example\.com:8080\nheader +set x-env: prod/i)
})

test('explain prints one envelope of JSON', () => {
  const { code, out, err } = explain('POST', 'other/v1/', '--header', 'Host: api.example.com', '--json', '-c', file)
  assert.equal(code, 0, err)
  const { schema, generation, data } = JSON.parse(out)
  assert.deepEqual([schema, generation, data.chosen], ['weir.explain/1', null, 'listeners.web.routes[1]'])
  assert.deepEqual(
    data.action.split.map((entry: { upstream: string; share: number }) => [entry.upstream, entry.share]),
    [
      ['api', 0.9],
      ['canary', 0.1],
    ],
  )
})

test('explain shows where a redirect leads', () => {
  assert.match(explain('GET', 'x/old?a=b', '--config', file).out, /redirect +308 to \/new\?a=b/)
})

test('explain leaves with 4 when no route matches, 1 for a bad config, 2 for a bad question', () => {
  const none = explain('GET', 'http://nowhere/', '--config', file)
  assert.equal(none.code, 4, none.err)
  assert.match(none.out, /404, no route matches/)
  assert.equal(explain('GET', 'http://x/', '--config', join(directory, 'missing.yaml')).code, 1)
  const broken = explain('GET', 'http://x/%zz', '--config', file)
  assert.equal(broken.code, 2)
  assert.match(broken.err, /400/)
  assert.equal(explain('GET', 'http://x/', '--listener', 'nope', '--config', file).code, 2)
})
