import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

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
  ranged:
    bind: ["127.0.0.1:9000-9010", "unix:/run/x.sock"]
    proxyProtocol: on
    trustedProxies: [127.0.0.1]
    routes:
      - match: { port: 9005, proxyTlv: { authority: a.example } }
        upstream: api
  db:
    bind: "127.0.0.1:5432-5433"
    protocol: tcp
    routes:
      - match: { clientIp: 10.0.0.0/8 }
        upstream: canary
      - match: { port: 5433 }
        split: { api: 50%, canary: 50% }
  secure:
    bind: ":8443"
    protocol: tls
    routes:
      - match: { sni: "*.example.com", alpn: h2 }
        upstream: api
      - match: { sni: other.example }
        upstream: canary
upstreams:
  api: { servers: ["127.0.0.1:9001"] }
  canary: { servers: ["127.0.0.1:9002"] }
`,
)

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))

function explain(...args: string[]) {
  const run = spawnSync(process.execPath, [MAIN, 'explain', ...args], {
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

test('explain shows where a TLS connection goes', () => {
  const { code, out, err } = explain('connect', 'tls://A.example.com', '--alpn', 'h2', '--client-ip', '192.0.2.7', '--config', file)
  assert.equal(code, 0, err)
  assert.equal(
    out,
    [
      'connect   tls to port 8443, sni a.example.com, alpn h2, from 192.0.2.7',
      'listener  secure',
      'routes    in the order they are tried',
      '  chosen       listeners.secure.routes[0] (line 34): sni *.example.com, alpn h2',
      '  skipped      1 for other server names',
      'upstream  api: 127.0.0.1:9001',
      '',
    ].join('\n'),
  )
  const none = explain('CONNECT', 'tls://a.example.com:8443', '-c', file)
  assert.equal(none.code, 4, none.err)
  assert.match(none.out, /skipped +listeners\.secure\.routes\[0\] .*wants alpn h2, alpn is absent\n/)
  assert.match(none.out, /\nclosed +no route matches\n$/)
})

test('explain shows where a TCP connection goes', () => {
  const { code, out, err } = explain('Connect', 'tcp://db:5433', '--json', '--config', file)
  assert.equal(code, 0, err)
  const { data } = JSON.parse(out)
  assert.deepEqual(data.connection, { protocol: 'tcp', port: 5433, sni: '', alpn: [], clientIp: '127.0.0.1' })
  assert.deepEqual([data.request, data.listener, data.chosen], [null, 'db', 'listeners.db.routes[1]'])
  assert.deepEqual([data.action.kind, data.action.split.length], ['connect', 2])
  assert.equal(
    JSON.parse(explain('connect', 'tcp://db', '--client-ip', '10.1.1.1', '--json', '-c', file).out).data.chosen,
    'listeners.db.routes[0]',
  )
})

test('explain knows the port of a range and TLVs', () => {
  const at = (port: number, tlv: string) => explain('GET', `http://x:${port}/`, '--tlv', tlv, '-c', file)
  assert.match(at(9005, '0x02=a.example').out, /chosen +listeners\.ranged\.routes\[0\]/)
  const wrong = at(9006, 'authority=b')
  assert.match(wrong.out, /wants port 9005, port is 9006; wants proxyTlv authority "a\.example", proxyTlv authority is "b"/)
})

test('explain refuses to mix requests and connections', () => {
  const bad = (...args: string[]) => {
    const { code, err } = explain(...args, '-c', file)
    assert.equal(code, 2, err)
    return err
  }
  assert.match(bad('GET', 'tls://a:443'), /a connection has no method: weir explain connect tls:\/\/a:443/)
  assert.match(bad('connect', 'tcp://a:1', '--alpn', 'h2'), /--alpn is for tls:\/\/ only/)
  assert.match(bad('connect', 'tls://a:99999'), /expected tcp:\/\/host:port or tls:\/\/name:port/)
  assert.match(bad('GET', 'http://x/', '--listener', 'db'), /the listener db has protocol tcp; ask: weir explain connect tcp:\/\/host:port/)
  assert.match(bad('connect', 'tls://a', '--listener', 'none'), /no listener none; there are: web \(http\), .*db \(tcp\), secure \(tls\)/)
})
