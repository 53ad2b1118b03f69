import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { acmeStorage } from '../../../src/primary/tls/acme/acme-storage.ts'
import { openAuthority } from '../../../src/primary/tls/internal-ca/authority.ts'
import { takeLock } from '../../../src/primary/tls/storage/file-lock.ts'
import { readPrivateFile, writePrivateFile } from '../../../src/primary/tls/storage/private-file.ts'
import { makeCertificate } from '../../../src/primary/tls/x509/make-certificate.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-acme-storage-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const DAY = 86_400_000
const life = () => ({ notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + DAY) })
const modeOf = (path: string) => statSync(path).mode & 0o777

test('what is written is whole, and its owner’s alone', async () => {
  const path = join(folder, 'deep/er/secret')
  assert.equal(readPrivateFile(path), null)
  await writePrivateFile(path, 'one')
  await writePrivateFile(path, 'two')
  assert.equal(readPrivateFile(path), 'two')
  assert.deepEqual([modeOf(path), modeOf(join(folder, 'deep/er'))], [0o600, 0o700])
  assert.deepEqual(readdirSync(join(folder, 'deep/er')), ['secret'])
})

test('a certificate is found again under its names in any order, and under no others', async () => {
  const made = await makeCertificate({ subject: 'a.example', names: ['a.example', 'b.example'], ...life() }, null)
  const store = (...domains: string[]) => acmeStorage(folder, 'https://acme.example/dir', domains)
  await store('a.example', 'b.example').write(made)
  assert.equal(store('a.example', 'b.example').read()?.certificate, made.certificate)
  assert.equal(store('a.example').read(), null)
  const file = join(folder, 'acme.example-dir', readdirSync(join(folder, 'acme.example-dir'))[0] as string)
  assert.equal(modeOf(file), 0o600)

  const other = await makeCertificate({ subject: 'x', names: ['a.example'], ...life() }, null)
  const wrong: [why: string, text: string][] = [
    ['the key of another one', other.key + made.certificate],
    ['not for all names', other.key + other.certificate],
    ['cut off', readFileSync(file, 'utf8').slice(0, -200)],
    ['empty', ''],
  ]
  for (const [why, text] of wrong) {
    writeFileSync(file, text)
    assert.equal(store('a.example', 'b.example').read(), null, why)
  }
})

test('a lock is held by one, and free again when it is released', async () => {
  const path = join(folder, 'one.lock')
  const lock = await takeLock(path)
  assert.ok(lock)
  assert.equal(await takeLock(path), null)
  await lock.release()
  assert.equal(existsSync(path), false)
  const again = await takeLock(path)
  assert.ok(again)
  await again.release()
})

test('of many who find a lock that was left behind, one gets it', async () => {
  const path = join(folder, 'left.lock')
  writeFileSync(path, JSON.stringify({ pid: 1, started: '0', place: 'another machine' }))
  assert.equal(await takeLock(path), null, 'it is fresh')
  utimesSync(path, new Date(0), new Date(0))
  const locks = await Promise.all(Array.from({ length: 20 }, () => takeLock(path)))
  const held = locks.filter((lock) => lock !== null)
  assert.equal(held.length, 1)
  assert.equal((JSON.parse(readFileSync(path, 'utf8')) as { pid: number }).pid, process.pid)
  await held[0]?.release()
})

test('the lock of a process that was killed is free at once', async (t) => {
  const path = join(folder, 'killed.lock')
  const program = join(folder, 'hold.mts')
  const module = new URL('../../../src/primary/tls/storage/file-lock.ts', import.meta.url)
  writeFileSync(
    program,
    `import { takeLock } from '${module.href}'\nawait takeLock(process.argv[2])\nprocess.send('held')\nsetInterval(() => {}, 1000)\n`,
  )
  const child = fork(program, [path], { execArgv: ['--import', import.meta.resolve('tsx')] })
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'message')
  assert.equal(await takeLock(path), null)
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  const lock = await takeLock(path)
  assert.ok(lock)
  await lock.release()
})

test('who was taken for dead leaves the lock of the next one alone', async () => {
  const path = join(folder, 'slow.lock')
  const slow = await takeLock(path)
  writeFileSync(path, JSON.stringify({ pid: 1, started: '0', place: 'another machine' }))
  await slow?.release()
  assert.equal(existsSync(path), true)
})

test('of several who want the authority at the same time one makes it', async () => {
  const storage = join(folder, 'ca')
  const said: string[] = []
  const made = await Promise.all([1, 2, 3, 4].map(() => openAuthority(storage, (line) => void said.push(line))))
  assert.equal(new Set(made.map(({ certificate }) => certificate)).size, 1)
  assert.equal(said.length, 1)
  assert.deepEqual([modeOf(storage), modeOf(join(storage, 'root.pem'))], [0o700, 0o600])
  assert.ok(!readdirSync(storage).includes('lock'))
})

test('a folder that cannot be used is named', async () => {
  const file = join(folder, 'file')
  await writePrivateFile(file, '')
  await assert.rejects(
    openAuthority(join(file, 'ca'), () => undefined),
    /file\/ca/,
  )
})
