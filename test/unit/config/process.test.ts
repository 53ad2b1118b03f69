import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { configOf, configWith, messagesOf } from './helper.ts'

const whole = (root: string) => configOf(configWith({ root }))
const messages = (root: string) => messagesOf(configWith({ root }))

test('how the process is run has defaults that ask nothing of the machine', async () => {
  const { control, admin, user, group, pidFile, shutdown } = await configOf(configWith())
  assert.deepEqual(
    { control, admin, user, group, pidFile },
    {
      control: { isOn: true, socket: null },
      admin: null,
      user: null,
      group: null,
      pidFile: null,
    },
  )
  assert.deepEqual(shutdown, { graceMs: 25_000, delayMs: 0, spreadMs: 5_000 })
})

test('the control socket is a path, or off', async () => {
  assert.deepEqual((await whole('control: { socket: /run/a.sock }')).control, { isOn: true, socket: '/run/a.sock' })
  assert.deepEqual((await whole('control: { socket: off }')).control, { isOn: false, socket: null })
  const [relative] = await messages('control: { socket: run/a.sock }')
  assert.equal(relative, 'control.socket: expected an absolute path such as /run/weir.sock, or off, found "run/a.sock"')
  assert.deepEqual(await messages('control: { socket: "unix:/run/a.sock" }'), [
    'control.socket: expected an absolute path, found "unix:/run/a.sock"; write "/run/a.sock"',
  ])
  assert.deepEqual(await messages(`control: { socket: "/${'x'.repeat(107)}" }`), [
    'control.socket: the path of a socket has at most 107 bytes',
  ])
})

test('accounts are names or numbers, and a group needs a user', async () => {
  const { user, group } = await whole('user: 1000\ngroup: web-data')
  assert.deepEqual({ user, group }, { user: '1000', group: 'web-data' })
  for (const account of ['"a b"', '""', '-1', '"../x"', '4294967295']) assert.equal((await messages(`user: ${account}`)).length, 1, account)
  assert.deepEqual(await messages('group: web'), ['group: has no effect without user; name a user, too'])
})

test('a pid file is an absolute path', async () => {
  assert.equal((await whole('pidFile: /run/weir.pid')).pidFile, '/run/weir.pid')
  assert.equal((await messages('pidFile: weir.pid')).length, 1)
})

test('the HTTP interface is on loopback, on an address of its own', async () => {
  for (const address of ['127.0.0.1:9900', '127.9.9.9:0', '[::1]:9900', 'localhost:9900'])
    assert.equal((await whole(`admin: { bind: "${address}" }`)).admin?.bind.text, address)
  assert.deepEqual(await messages('admin: { bind: ":9900" }'), [
    'admin.bind: expected a loopback address, found ":9900": whoever reaches another one without a token may do everything; write "127.0.0.1:9900" or "[::1]:9900", or set admin.token or admin.tokenFile',
  ])
  for (const address of ['10.0.0.1:9900', 'example.com:9900', 'unix:/run/a', '127.0.0.1:1-2', '9900'])
    assert.equal((await messages(`admin: { bind: "${address}" }`)).length, 1, address)
  assert.deepEqual(await messages('admin: { bind: "127.0.0.1:8080" }'), [
    'admin.bind: 127.0.0.1:8080 is already taken by listeners.web.bind (:8080)',
  ])
})

const token = 'a-token-of-some-length'

test('with a token the HTTP interface may be anywhere', async () => {
  const { admin } = await whole(`admin: { bind: ":9900", token: ${token}, viewToken: look-at-it-look-at-it, hosts: Weir.Example.com }`)
  assert.deepEqual(admin && { ...admin, bind: admin.bind.text }, {
    bind: ':9900',
    token,
    viewToken: 'look-at-it-look-at-it',
    hosts: ['weir.example.com'],
  })
  assert.deepEqual((await whole('admin: { bind: "127.0.0.1:1" }')).admin?.hosts, [])
})

test('a token is long, has no spaces, and is never repeated', async () => {
  for (const bad of ['short', '"with a space in it 123"', '"ends-with-newline\\n-123"', `"${'x'.repeat(513)}"`, '"nö-ascii-nö-ascii-nö"'])
    assert.deepEqual(await messages(`admin: { bind: ":9900", token: ${bad} }`), [
      'admin.token: expected a token of 16 to 512 visible ASCII characters without spaces',
    ])
  assert.deepEqual(await messages('admin: { bind: "127.0.0.1:9900", viewToken: look-at-it-look-at-it }'), [
    'admin.viewToken: has no effect without token: without one everybody may do everything; set admin.token, too',
  ])
  assert.deepEqual(await messages(`admin: { bind: ":9900", token: ${token}, viewToken: ${token} }`), [
    'admin.viewToken: is the same as token, with which one may do everything',
  ])
  assert.equal((await messages('admin: { bind: "127.0.0.1:9900", hosts: ["a b"] }')).length, 1)
})

test('a token may stand in a file of its own', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-token-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const good = file('good', `  ${token}\n`)
  assert.equal((await whole(`admin: { bind: ":9900", tokenFile: ${good} }`)).admin?.token, token)
  assert.deepEqual(await messages(`admin: { bind: ":9900", tokenFile: ${good}, token: ${token} }`), [
    'admin.tokenFile: not together with token; leave one of them out',
  ])
  for (const [path, why] of [
    [file('empty', ''), 'holds no token of 16 to 512 visible ASCII characters without spaces'],
    [file('two', `${token}\n${token}\n`), 'holds no token of 16 to 512 visible ASCII characters without spaces'],
    [file('large', 'x'.repeat(5_000)), 'is larger than any token'],
    [folder, 'is not a regular file'],
    [join(folder, 'none'), 'no such file'],
  ])
    assert.deepEqual(await messages(`admin: { bind: ":9900", tokenFile: ${path} }`), [`admin.tokenFile: ${path}: ${why}`])
})

test('connections are spread over no more than half of the grace', async () => {
  assert.equal((await whole('shutdown: { grace: 4s }')).shutdown.spreadMs, 2_000)
  assert.equal((await whole('shutdown: { grace: 0s, spread: 1m }')).shutdown.spreadMs, 60_000)
  assert.equal((await whole('shutdown: { grace: 4s, spread: 2s, delay: 3s }')).shutdown.delayMs, 3_000)
  assert.deepEqual(await messages('shutdown: { grace: 4s, spread: 3s }'), ['shutdown.spread: 3s is longer than half of the grace of 4s'])
})
