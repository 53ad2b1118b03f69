import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { openControlSocket } from '../../../src/primary/control/control-socket.ts'
import { ControlSocketError } from '../../../src/primary/control/socket-file.ts'
import { ask, fake, opened, socketPath, until } from './fixtures.ts'

const { operation } = fake()

test('the socket is its owner’s alone, whatever the mask of the process', async (t) => {
  const before = process.umask(0)
  t.after(() => process.umask(before))
  const { path } = await opened(t, operation)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(process.umask(), 0, 'the mask is what it was')
  assert.deepEqual(readdirSync(dirname(path)), ['weir.sock'], 'nothing else is left in the folder')
})

test('a socket that nobody answers at is replaced', async (t) => {
  const path = socketPath(t)
  const program = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('listens'))`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('exit', resolve))
  assert.ok(existsSync(path), 'it left its file')
  const socket = await openControlSocket(path, operation)
  t.after(() => socket.close())
  assert.equal((await ask(t, path, { verb: 'workers' })).schema, 'weir.workers/1')
})

test('a socket that answers is left to the one who has it', async (t) => {
  const { path } = await opened(t, operation)
  const inode = statSync(path).ino
  await assert.rejects(openControlSocket(path, operation), (error: Error) => {
    assert.ok(error instanceof ControlSocketError)
    assert.match(error.message, /another weir is in control at .*weir stop --socket .*control\.socket/)
    return true
  })
  assert.equal(statSync(path).ino, inode)
  assert.deepEqual(readdirSync(dirname(path)), ['weir.sock'])
  assert.equal((await ask(t, path, { verb: 'workers' })).schema, 'weir.workers/1')
})

test('of two that start at once one gets the socket', async (t) => {
  const path = socketPath(t)
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => openControlSocket(path, operation)))
  const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  t.after(() => Promise.all(won.map((socket) => socket.close())))
  assert.equal(won.length, 1)
  assert.deepEqual(readdirSync(dirname(path)), ['weir.sock'])
})

test('what is no socket is never removed', async (t) => {
  const path = socketPath(t)
  writeFileSync(path, 'precious')
  for (const takeOver of [false, true])
    await assert.rejects(openControlSocket(path, operation, { takeOver }), { message: /is no socket, so it is left as it is/ })
  assert.equal(readFileSync(path, 'utf8'), 'precious')
  const folder = join(dirname(path), 'folder')
  mkdirSync(folder)
  await assert.rejects(openControlSocket(folder, operation), ControlSocketError)
  const link = join(dirname(path), 'link')
  symlinkSync(path, link)
  await assert.rejects(openControlSocket(link, operation), ControlSocketError)
})

test('a path that is too long, or has no folder, is told', async (t) => {
  const folder = dirname(socketPath(t))
  const longest = join(folder, 'x'.repeat(107 - folder.length - 1))
  const socket = await openControlSocket(longest, operation)
  await socket.close()
  await assert.rejects(openControlSocket(`${longest}x`, operation), { message: /has 108 bytes, and the system allows 107/ })
  await assert.rejects(openControlSocket(join(folder, 'none', 'weir.sock'), operation), { message: /has no folder/ })
})

test('a successor takes the path over, and the one before leaves its file alone', async (t) => {
  const before = await opened(t, operation)
  const next = fake()
  const socket = await openControlSocket(before.path, next.operation, { takeOver: true })
  t.after(() => socket.close())
  await next.operation.setWeightShare('api/b', 0.5)
  await before.close()
  assert.equal((await ask(t, socket.path, { verb: 'workers' })).generation, 8, 'it is the successor who answers')
  assert.equal(statSync(socket.path).mode & 0o777, 0o600)
  await socket.close()
  assert.deepEqual(readdirSync(dirname(socket.path)), [])
})

test('a file that somebody else put in its place stays', async (t) => {
  const socket = await opened(t, operation)
  unlinkSync(socket.path)
  writeFileSync(socket.path, 'precious')
  await socket.close()
  assert.equal(readFileSync(socket.path, 'utf8'), 'precious')
})

test('on close a waiting client gets an answer and everybody is let go', async (t) => {
  const made = fake()
  made.inFlight.set('api/a', 1)
  const socket = await opened(t, made.operation, { limits: { closeMs: 1_000 } })
  const waiting = ask(t, socket.path, { verb: 'wait', server: 'api/a', condition: 'drained', timeoutMs: 60_000 })
  const began = Date.now()
  await until(() => made.lines.length === 0, 'nothing')
  await new Promise((resolve) => setTimeout(resolve, 50))
  await socket.close()
  assert.match((await waiting).error.message, /closes its control socket/)
  assert.ok(Date.now() - began < 900)
  assert.ok(!existsSync(socket.path))
})
