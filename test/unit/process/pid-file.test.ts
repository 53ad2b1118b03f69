import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { claimPidFile, PidFileError, takeOverPidFile } from '../../../src/primary/pid-file.ts'

function place(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-pid-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'weir.pid')
}

const pidIn = (path: string) => Number(readFileSync(path, 'utf8'))

test('the file holds the process id while weir runs', (t) => {
  const path = place(t)
  const file = claimPidFile(path, process.pid)
  assert.equal(readFileSync(path, 'utf8'), `${process.pid}\n`)
  file.release()
  assert.equal(existsSync(path), false)
  file.release()
})

test('a file that a dead process left is replaced', (t) => {
  const path = place(t)
  const { pid } = spawnSync('true')
  for (const left of [`${pid}\n`, '', 'garbage', '-1', `${process.pid}`]) {
    writeFileSync(path, left)
    claimPidFile(path, process.pid)
    assert.equal(pidIn(path), process.pid, `over ${JSON.stringify(left)}`)
  }
  assert.deepEqual(readdirSync(join(path, '..')), ['weir.pid'])
})

test('a number that another program has by now is no weir', (t) => {
  const path = place(t)
  const other = spawn('sleep', ['60'], { stdio: 'ignore' })
  t.after(() => void other.kill())
  writeFileSync(path, `${other.pid}\n`)
  claimPidFile(path, process.pid)
  assert.equal(pidIn(path), process.pid)
})

test('a weir that runs keeps its file', (t) => {
  const path = place(t)
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '/opt/weir/dist/main.js'], { stdio: 'ignore' })
  t.after(() => void other.kill())
  writeFileSync(path, `${other.pid}\n`)
  assert.throws(
    () => claimPidFile(path, process.pid),
    (error: Error) => error instanceof PidFileError && error.message.startsWith(`another weir runs as process ${other.pid} (${path})`),
  )
  assert.equal(pidIn(path), other.pid)
})

test('a successor takes the file over, and its predecessor leaves it alone', (t) => {
  const path = place(t)
  const old = claimPidFile(path, 1_000_001)
  const heir = takeOverPidFile(path, 1_000_002)
  old.release()
  assert.equal(pidIn(path), 1_000_002)
  heir.release()
  assert.equal(existsSync(path), false)
})

test('a file that cannot be written is a sentence', () => {
  assert.throws(() => claimPidFile('/nowhere/weir.pid', 1), /^Error: cannot write the pid file \/nowhere\/weir\.pid: no such folder$/)
  assert.throws(() => takeOverPidFile('/proc/weir.pid', 1), /cannot write the pid file \/proc\/weir\.pid/)
})
