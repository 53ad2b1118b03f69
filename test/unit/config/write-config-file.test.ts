import assert from 'node:assert/strict'
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeConfigFile } from '../../../src/shared/config/save/save.ts'
import { ControlError } from '../../../src/shared/control/requests.ts'

const directory = () => mkdtempSync(join(tmpdir(), 'weir-save-'))

test('the text is replaced as a whole, mode and owner stay, nothing is left beside it', async () => {
  const path = join(directory(), 'weir.yaml')
  writeFileSync(path, 'old')
  chmodSync(path, 0o640)
  const before = statSync(path)
  await writeConfigFile(path, 'new text')
  const after = statSync(path)
  assert.equal(readFileSync(path, 'utf8'), 'new text')
  assert.deepEqual([after.mode, after.uid, after.gid], [before.mode, before.uid, before.gid])
  assert.notEqual(after.ino, before.ino)
  assert.deepEqual(readdirSync(join(path, '..')), ['weir.yaml'])
})

test('a symbolic link stays one, and what it points to is replaced', async () => {
  const root = directory()
  mkdirSync(join(root, 'real'))
  writeFileSync(join(root, 'real', 'one.yaml'), 'old')
  symlinkSync('real/one.yaml', join(root, 'weir.yaml'))
  await writeConfigFile(join(root, 'weir.yaml'), 'new')
  assert.ok(lstatSync(join(root, 'weir.yaml')).isSymbolicLink())
  assert.equal(readFileSync(join(root, 'real', 'one.yaml'), 'utf8'), 'new')
})

test('a file that somebody else changed meanwhile is left alone', async () => {
  const path = join(directory(), 'weir.yaml')
  writeFileSync(path, 'theirs')
  await assert.rejects(writeConfigFile(path, 'ours', 'old'), (error) => error instanceof ControlError && error.code === 'refused')
  assert.equal(readFileSync(path, 'utf8'), 'theirs')
})

test('a failure is a sentence, and the file is as it was', async () => {
  const root = directory()
  const missing = join(root, 'no', 'weir.yaml')
  await assert.rejects(writeConfigFile(missing, 'x'), (error) => error instanceof ControlError && /cannot be written/.test(error.message))
  mkdirSync(join(root, 'a.yaml'))
  await assert.rejects(writeConfigFile(join(root, 'a.yaml'), 'x'), (error) => error instanceof ControlError)
  assert.deepEqual(readdirSync(root), ['a.yaml'])
})
