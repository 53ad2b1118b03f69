import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { thisMachine } from '../../../src/cli/trust/this-machine.ts'
import { shellText, type TrustMachine, trustSteps } from '../../../src/cli/trust/trust-steps.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-trust-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const authority = { file: '/ca/root.crt', name: 'weir-1' }
const programs =
  (...names: string[]) =>
  (program: string) =>
    names.includes(program) ? `/bin/${program}` : undefined
const machine = (further: Partial<TrustMachine>): TrustMachine => ({ find: programs(), debianFolder: null, nssDatabases: [], ...further })
const commands = (of: TrustMachine, isRemoved = false) => trustSteps(of, authority, isRemoved).map(shellText)

test('on Debian the certificate is copied and the store made anew', () => {
  const debian = machine({ find: programs('update-ca-certificates', 'trust'), debianFolder: '/usr/local/share/ca-certificates' })
  assert.deepEqual(commands(debian), [
    'sudo install -m 0644 /ca/root.crt /usr/local/share/ca-certificates/weir-1.crt',
    'sudo /bin/update-ca-certificates',
  ])
  assert.deepEqual(commands(debian, true), [
    'sudo rm -f /usr/local/share/ca-certificates/weir-1.crt',
    'sudo /bin/update-ca-certificates --fresh',
  ])
})

test('elsewhere p11-kit does it', () => {
  const fedora = machine({ find: programs('trust') })
  assert.deepEqual(commands(fedora), ['sudo /bin/trust anchor --store /ca/root.crt'])
  assert.deepEqual(commands(fedora, true), ['sudo /bin/trust anchor --remove /ca/root.crt'])
})

test('databases of browsers are the user’s own, and changed where certutil is here', () => {
  const nssDatabases = ['sql:/home/an na/.pki/nssdb']
  assert.deepEqual(commands(machine({ nssDatabases })), [])
  const able = machine({ find: programs('certutil'), nssDatabases })
  assert.deepEqual(commands(able), ["/bin/certutil -A -d 'sql:/home/an na/.pki/nssdb' -t C,, -n weir-1 -i /ca/root.crt"])
  assert.deepEqual(commands(able, true), ["/bin/certutil -D -d 'sql:/home/an na/.pki/nssdb' -n weir-1"])
})

test('programs are found in PATH, and browsers by their databases', () => {
  for (const place of ['.pki/nssdb', '.mozilla/firefox/one.default', '.mozilla/firefox/crash reports']) {
    mkdirSync(join(folder, place), { recursive: true })
    if (!place.includes(' ')) writeFileSync(join(folder, place, 'cert9.db'), '')
  }
  writeFileSync(join(folder, 'certutil'), '', { mode: 0o755 })
  writeFileSync(join(folder, 'no-program'), '', { mode: 0o644 })
  const found = thisMachine({ PATH: `/nowhere:${folder}`, HOME: folder })
  assert.equal(found.find('certutil'), join(folder, 'certutil'))
  assert.equal(found.find('no-program'), undefined)
  assert.deepEqual(found.nssDatabases, [`sql:${folder}/.pki/nssdb`, `sql:${folder}/.mozilla/firefox/one.default`])
  assert.deepEqual(thisMachine({}).nssDatabases, [])
})
