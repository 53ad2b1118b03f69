import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readlinkSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { AccessLog, noCounts } from '../../../src/primary/log/access-log.ts'
import type { StartThread, ThreadEvents } from '../../../src/primary/log/log-thread-link.ts'
import type { RowName, ToLogThread } from '../../../src/primary/log/messages.ts'
import type { Config } from '../../../src/shared/config/model.ts'
import { until } from '../../scenario/lib/wait.ts'
import { configOf, configWith } from '../config/helper.ts'

interface Stage {
  log: AccessLog
  lines: string[]
  names: RowName[]
  /** What each thread was told. */
  threads: { told: ToLogThread[]; events: ThreadEvents }[]
  last<T extends ToLogThread['type']>(type: T): Extract<ToLogThread, { type: T }> | undefined
}

async function config(access: string): Promise<Config> {
  return configOf(configWith({ root: `log: { access: ${access} }` }))
}

function stage(t: TestContext, first: Config): Stage {
  const threads: Stage['threads'] = []
  const lines: string[] = []
  const names: RowName[] = [{ kind: 'server', row: 3, name: 'api/a' }]
  const start: StartThread = (_data, events) => {
    const told: ToLogThread[] = []
    threads.push({ told, events })
    return {
      post: (message) => {
        told.push(message)
        if (message.type === 'close') events.message({ type: 'closed' })
      },
      end: () => undefined,
    }
  }
  const options = {
    data: { boardFd: 0, workers: 1 },
    config: first,
    owner: null,
    names: () => names,
    log: (line: string) => lines.push(line),
  }
  const log = new AccessLog({ ...options, start })
  t.after(() => log.close())
  const last: Stage['last'] = (type) => threads.at(-1)?.told.findLast((message) => message.type === type) as never
  return { log, lines, names, threads, last }
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'weir-log-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const sinkOf = ({ last }: Stage) => last('settings')?.settings.access?.sink
const openFiles = () => readdirSync('/proc/self/fd').flatMap((fd) => safely(() => readlinkSync(`/proc/self/fd/${fd}`)))

function safely(read: () => string): string[] {
  try {
    return [read()]
  } catch {
    return []
  }
}

test('a thread is told everything when it starts, and names once', async (t) => {
  const path = join(folder(t), 'a.log')
  const made = stage(t, await config(path))
  assert.ok(existsSync(path), 'the file is open before anything serves')
  made.log.start()
  assert.deepEqual(made.last('names')?.names, made.names)
  assert.deepEqual([sinkOf(made)?.name, made.last('settings')?.settings.access?.fromOldest], [path, true])
  assert.equal(made.last('settings')?.settings.keeps, true)
  const before = made.threads[0]?.told.length
  made.log.namesChanged()
  assert.equal(made.threads[0]?.told.length, before)
  made.names.push({ kind: 'server', row: 3, name: 'api/z' })
  made.log.namesChanged()
  assert.deepEqual(made.last('names')?.names, [{ kind: 'server', row: 3, name: 'api/z' }])
})

test('a config that cannot be in force changes nothing, one that can is told', async (t) => {
  const path = join(folder(t), 'a.log')
  const made = stage(t, await config(path))
  made.log.start()
  const wrong = await config(join(folder(t), 'none', 'a.log'))
  assert.throws(() => made.log.prepare(wrong), /the access log \S+ cannot be opened: its folder does not exist/)
  made.log.rollback()
  const other = join(folder(t), 'b.log')
  made.log.prepare(await config(other))
  made.log.rollback()
  assert.ok(!openFiles().includes(other), 'what was opened for nothing is closed')
  assert.equal(sinkOf(made)?.name, path)
  made.log.prepare(await config(`{ to: ${path}, sample: 10% }`))
  made.log.commit()
  assert.equal(made.last('settings')?.settings.access?.format.share, 0.1)
  assert.equal(openFiles().filter((name) => name === path).length, 1, 'the same file stays open')
  made.log.prepare(await config('off'))
  made.log.commit()
  assert.equal(made.last('settings')?.settings.access, null)
})

test('USR1 opens the file by its name', async (t) => {
  const path = join(folder(t), 'a.log')
  const made = stage(t, await config(path))
  made.log.start()
  renameSync(path, `${path}.1`)
  assert.equal(made.log.reopen(), `reopened ${path}`)
  assert.ok(existsSync(path))
  assert.equal(readlinkSync(`/proc/self/fd/${sinkOf(made)?.fd}`), path)
  rmSync(join(path, '..'), { recursive: true })
  assert.match(made.log.reopen(), /its folder does not exist: it goes on in the file that is open/)
  assert.equal(stage(t, await config('off')).log.reopen(), 'there is no log file to reopen')
})

test('a thread that dies is replaced, and who waits for it hears of it', async (t) => {
  const path = join(folder(t), 'a.log')
  const made = stage(t, await config(path))
  made.log.start()
  const failed: string[] = []
  made.log.tail('', { records: () => undefined, failed: (reason) => failed.push(reason) })
  const found = assert.rejects(made.log.find('x'), /does not run at this moment/)
  made.threads[0]?.events.message({ type: 'counts', counts: { ...noCounts(), written: 5, lost: 1 } })
  made.threads[0]?.events.died('out of memory')
  await found
  assert.deepEqual(failed, ['the log thread ended by itself'])
  assert.match(made.lines[0] ?? '', /the log thread ended by itself: out of memory; another one starts in 250 ms/)
  await until(() => made.threads.length === 2)
  assert.deepEqual(made.last('names')?.names, made.names)
  assert.equal(made.last('settings')?.settings.access?.fromOldest, false, 'what it has written already is not written again')
  made.threads[1]?.events.message({ type: 'counts', counts: { ...noCounts(), written: 2 } })
  assert.deepEqual([made.log.counts().written, made.log.counts().lost], [7, 1])
  assert.equal(openFiles().filter((name) => name === path).length, 1)
})

test('there is a limit to live streams', async (t) => {
  const made = stage(t, await config('off'))
  const events = { records: () => undefined, failed: () => undefined }
  const tails = Array.from({ length: 8 }, () => made.log.tail('', events))
  assert.throws(() => made.log.tail('', events), /there are 8 live streams already/)
  tails[0]?.close()
  made.log.tail('', events).close()
})
