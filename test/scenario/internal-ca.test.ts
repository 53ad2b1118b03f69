/** `tls: { internal: true }`: certificates for development that are there with the first client. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { command } from './lib/command.ts'
import { config } from './lib/config.ts'
import { startServer } from './lib/server.ts'
import { askSecurely, secureClient } from './lib/tls.ts'
import { folderFor } from './lib/tools.ts'

test('the first client believes the certificate; a restart and a second listener have the same authority', async (t) => {
  const storage = folderFor(t, 'internal-ca')
  const server = await startServer(t, (_req, res) => void res.end('served'))
  const secure = (host: string) => ({
    bind: '127.0.0.1:0',
    protocol: 'https',
    tls: { internal: { storage } },
    routes: [{ match: { host }, upstream: 'app' }],
  })
  const listeners = { web: secure('app.dev.example'), other: secure('other.dev.example') }
  const settings = config({ servers: [server.address], top: { listeners } })
  const weir = await startBalancer(t, settings)
  const root = join(storage, 'root.crt')
  const ca = readFileSync(root, 'utf8')
  const ask = (port: number, servername: string, host = servername) => askSecurely(t, port, { ca, servername }, { Host: host })
  const serial = async (port: number) => {
    const client = await secureClient(t, port, { ca, servername: 'app.dev.example' })
    const { serialNumber } = client.tls.getPeerCertificate()
    client.socket.destroy()
    return serialNumber
  }

  const first = await ask(weir.port(), 'app.dev.example')
  assert.deepEqual([first.status, first.text], [200, 'served'])
  assert.equal((await ask(weir.port(), 'localhost', 'app.dev.example')).text, 'served')
  assert.equal((await ask(weir.port('other'), 'other.dev.example')).text, 'served')
  await assert.rejects(ask(weir.port(), 'elsewhere.example'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  const made = await serial(weir.port())
  await weir.stop()
  assert.equal(weir.log().match(/made an authority for development in .*"weir trust"/g)?.length, 1, weir.log())
  assert.doesNotMatch(weir.log(), /PRIVATE KEY/)
  for (const file of ['root.pem', 'root.crt']) assert.equal(statSync(join(storage, file)).mode & 0o777, 0o600, file)

  const again = await startBalancer(t, settings)
  assert.equal(await serial(again.port()), made)
  assert.ok(new X509Certificate(ca).ca)
})

test('weir trust --remove says what is wrong where there is no authority, and makes none', async (t) => {
  const folder = folderFor(t, 'trust')
  const { code, stderr } = await command({ folder }, 'trust', '--remove', '--storage', join(folder, 'nothing'))
  assert.equal(code, 1)
  assert.match(stderr, /^weir: there is no authority in .*nothing: name its folder with --storage\n$/)
  assert.throws(() => statSync(join(folder, 'nothing')), { code: 'ENOENT' })
})
