// Certificates that cannot work: `weir check`, start and reload name the file and the reason, and a reload keeps what is in force.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { rewriteConfig, runToEnd, startBalancer } from './lib/balancer.ts'
import { authority } from './lib/certificates.ts'
import { command } from './lib/command.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { startServer } from './lib/server.ts'
import { askSecurely } from './lib/tls.ts'
import { folderFor } from './lib/tools.ts'

const ca = await authority(file)
const intermediate = await ca.intermediate('weir test intermediate')
const good = await intermediate.issue({ names: ['a.test'] })
const other = await ca.issue({ names: ['a.test'] })
const expired = await ca.issue({ names: ['a.test'], from: -30, to: -1 })
const early = await ca.issue({ names: ['a.test'], from: 2, to: 60 })
const soon = await ca.issue({ names: ['a.test'], from: -80, to: 3 })
const server = await startServer(file, (_req, res) => void res.end('here'))
const folder = folderFor(file, 'bad-certificates')

function written(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

const noPem = written('no-pem.pem', 'this is no certificate\n')
const damaged = written('damaged.pem', good.cert.replace(/\n[A-Za-z0-9+/]{8}/, '\nAAAAAAAA'))
const withoutChain = written('alone.pem', `${good.cert.split('-----END CERTIFICATE-----')[0]}-----END CERTIFICATE-----\n`)

const settings = (cert: string, key: string) =>
  config({ servers: [server.address], listener: { protocol: 'https', tls: { certificates: [{ cert, key }] } } })

// Every reload that is refused leaves it as it was.
const weir = await startBalancer(file, settings(good.path, good.keyPath))

const faults: { what: string; cert: string; key: string; why: RegExp }[] = [
  {
    what: 'a file that is not there',
    cert: join(folder, 'none.pem'),
    key: good.keyPath,
    why: /none\.pem.*(no such file|not found|does not exist)/i,
  },
  { what: 'a folder', cert: folder, key: good.keyPath, why: /bad-certificates.*(folder|directory)/i },
  { what: 'a file that is not PEM', cert: noPem, key: good.keyPath, why: /no-pem\.pem.*PEM/ },
  { what: 'a damaged certificate', cert: damaged, key: good.keyPath, why: /damaged\.pem/ },
  {
    what: 'a key that does not belong to it',
    cert: good.path,
    key: other.keyPath,
    why: /certificate-\d+\.key.*(does not belong|does not match)/,
  },
  { what: 'a certificate in place of the key', cert: good.path, key: good.path, why: /certificate-\d+\.pem.*key/ },
]

for (const { what, cert, key, why } of faults) {
  test(`${what} is refused by check, start and reload, with file and reason`, async (t) => {
    const path = written('weir.yaml', stringify(settings(cert, key)))
    const checked = await command({ folder }, 'check', path)
    assert.equal(checked.code, 1, checked.stdout)
    assert.match(checked.stdout + checked.stderr, why)
    const started = await runToEnd(t, settings(cert, key))
    assert.equal(started.code, 1)
    assert.match(started.stderr, why)

    rewriteConfig(weir, settings(cert, key))
    const reloaded = await command(weir, 'reload')
    assert.notEqual(reloaded.code, 0)
    assert.match(reloaded.stdout + reloaded.stderr, why)
    const { text } = await askSecurely(t, weir.port(), { ca: ca.cert, servername: 'a.test' })
    assert.equal(text, 'here')
    for (const said of [checked.stdout, checked.stderr, started.stderr, reloaded.stdout, reloaded.stderr, weir.log()])
      assert.ok(!/PRIVATE KEY|MIG[A-Za-z0-9+/]{20}/.test(said), 'nothing secret is said')
  })
}

for (const { what, certificate, why } of [
  { what: 'has expired', certificate: expired, why: /expired/ },
  { what: 'is not valid yet', certificate: early, why: /not valid (before|yet|until)|not yet valid/ },
  { what: 'expires soon', certificate: soon, why: /expires/ },
]) {
  test(`check says of a certificate that it ${what}`, async () => {
    const path = written('weir.yaml', stringify(settings(certificate.path, certificate.keyPath)))
    const { stdout, stderr } = await command({ folder }, 'check', path)
    assert.match(stdout + stderr, why)
    assert.match(stdout + stderr, /certificate-\d+\.pem/)
  })
}

test('check warns of a chain that does not lead to an authority, and not of one that does', async () => {
  const lacking = await command({ folder }, 'check', written('weir.yaml', stringify(settings(withoutChain, good.keyPath))))
  assert.equal(lacking.code, 0, lacking.stderr)
  assert.match(lacking.stdout + lacking.stderr, /alone\.pem.*(chain|intermediate)/)
  const whole = await command({ folder }, 'check', written('weir.yaml', stringify(settings(good.path, good.keyPath))))
  assert.doesNotMatch(whole.stdout + whole.stderr, /intermediate/)
})
