import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { type AccountFiles, dropPrivileges, type Identity, PrivilegeError } from '../../../src/primary/privileges.ts'

const files: AccountFiles = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/:/bin/false\n7:x:77:78::/:\n',
  group: 'root:x:0:\nwebs:x:34:\nlogs:x:40:web\n',
}

/** A system that writes down what it is asked. `keepsRoot`: setuid only seems to work. */
function system({ uid = 0, gid = 0, keepsRoot = false }: { uid?: number; gid?: number; keepsRoot?: boolean } = {}): {
  calls: string[]
  identity: Identity
} {
  const calls: string[] = []
  const now = { uid, gid }
  const change = (what: 'uid' | 'gid', id: number) => {
    if (now.uid !== 0 && !(keepsRoot && what === 'uid')) throw new Error('EPERM')
    calls.push(`set${what} ${id}`)
    now[what] = id
  }
  const identity: Identity = {
    getuid: () => now.uid,
    geteuid: () => now.uid,
    getgid: () => now.gid,
    getegid: () => now.gid,
    initgroups: (user, group) => void calls.push(`initgroups ${user} ${group}`),
    setgroups: (groups) => void calls.push(`setgroups ${groups.join()}`),
    setgid: (id) => change('gid', id),
    setuid: (id) => change('uid', id),
  }
  return { calls, identity }
}

function refusal(who: { user: string | null; group: string | null }, identity: Identity): string {
  try {
    dropPrivileges(who, identity, files)
  } catch (error) {
    assert.ok(error instanceof PrivilegeError)
    return error.message
  }
  return assert.fail('it was done')
}

test('the groups are given up before the user', () => {
  const cases: [user: string, group: string | null, calls: string[]][] = [
    ['web', null, ['initgroups web 34', 'setgid 34', 'setuid 33']],
    ['33', null, ['initgroups web 34', 'setgid 34', 'setuid 33']],
    ['web', 'logs', ['initgroups web 40', 'setgid 40', 'setuid 33']],
    ['web', '4000', ['initgroups web 4000', 'setgid 4000', 'setuid 33']],
    ['4000', '34', ['setgroups 34', 'setgid 34', 'setuid 4000']],
    ['7', null, ['initgroups 7 78', 'setgid 78', 'setuid 77']],
  ]
  for (const [user, group, calls] of cases) {
    const { identity, ...of } = system()
    dropPrivileges({ user, group }, identity, files)
    assert.deepEqual(of.calls, calls)
  }
})

test('nothing is done without a user, or by one who is it already', () => {
  for (const [uid, gid, user] of [
    [0, 0, null],
    [1000, 1000, null],
    [33, 34, 'web'],
  ] as const) {
    const { identity, calls } = system({ uid, gid })
    dropPrivileges({ user, group: null }, identity, files)
    assert.deepEqual(calls, [])
  }
})

test('what cannot be done is said in a sentence', () => {
  const { identity } = system()
  assert.equal(refusal({ user: 'nobdy', group: null }, identity), 'there is no user nobdy on this machine')
  assert.equal(refusal({ user: 'web', group: 'x' }, identity), 'there is no group x on this machine')
  assert.match(refusal({ user: '4000', group: null }, identity), /no entry in \/etc\/passwd, so its group is not known/)
  assert.match(refusal({ user: 'root', group: null }, identity), /user root is root, who keeps all rights/)
  assert.match(refusal({ user: 'web', group: null }, system({ uid: 1000 }).identity), /cannot become user web: only root can/)
})

test('a process that could become root again is not started', () => {
  assert.match(refusal({ user: 'web', group: null }, system({ keepsRoot: true }).identity), /only in part: root could be regained/)
})

test('a real process becomes nobody, for good', { skip: process.getuid?.() !== 0 && 'needs root' }, () => {
  const program = `
    import { dropPrivileges } from ${JSON.stringify(new URL('../../../src/primary/privileges.ts', import.meta.url).pathname)}
    import { readFileSync } from 'node:fs'
    dropPrivileges({ user: 'nobody', group: null })
    console.log(readFileSync('/proc/self/status', 'utf8').match(/^(Uid|Gid|Groups|CapEff|CapPrm):.*/gm).join('|').replace(/\\s+/g, ' '))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { encoding: 'utf8' })
  assert.match(stdout, /^Uid: (\d+) \1 \1 \1 ?\|Gid: (\d+) \2 \2 \2 ?\|Groups: \2 ?\|CapPrm: 0+ ?\|CapEff: 0+\s*$/, stderr)
  assert.doesNotMatch(stdout, /Uid: 0/)
})
