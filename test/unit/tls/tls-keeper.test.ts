import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { TlsCertificate } from '../../../src/native/contract.ts'
import type { CertificateSource, SourceEvents } from '../../../src/primary/tls/certificate-source.ts'
import { TlsKeeper, type TlsKeeperOptions } from '../../../src/primary/tls/tls-keeper.ts'
import { configFromText } from '../../../src/shared/config/load.ts'
import type { Config } from '../../../src/shared/config/model.ts'
import type { TlsMaterial } from '../../../src/shared/ipc/tls-material.ts'
import { type Made, make } from './lib/make-certificate.ts'

const directory = mkdtempSync(join(tmpdir(), 'weir-tls-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const root = await make({ subject: 'root', isAuthority: true })
const [first, second, ec] = [
  await make({ names: ['a.example'], kind: 'rsa', by: root }),
  await make({ names: ['a.example'], kind: 'rsa', by: root }),
  await make({ names: ['a.example'], by: root }),
]

function write(name: string, { cert, key }: Made): void {
  writeFileSync(join(directory, `${name}.pem`), `${cert}${root.cert}`)
  writeFileSync(join(directory, `${name}.key`), key)
}
writeFileSync(join(directory, 'root.pem'), root.cert)

function configOf(tls: string, upstream = ''): Config {
  const text = `
listeners:
  web: { bind: ":0", protocol: https, upstream: api, tls: ${tls} }
upstreams:
  api: { servers: ["server.example:443", { name: b, address: "10.0.0.1:443" }], ${upstream} }
`
  const result = configFromText(text, join(directory, 'weir.yaml'))
  assert.ok(result.ok, result.ok ? '' : result.problems.map(({ message }) => message).join())
  return result.config
}

interface Kept {
  keeper: TlsKeeper
  lines: string[]
  now(): TlsMaterial
  /** Settles when this holds; fails after 5 s. */
  until(what: string, holds: () => boolean): Promise<void>
  config: Config
}

async function keeping(config: Config, differs: Partial<TlsKeeperOptions> = {}): Promise<Kept> {
  const lines: string[] = []
  const waiting = new Set<() => void>()
  const wake = () => {
    for (const one of waiting) one()
  }
  const kept = { config } as Kept
  const log = (line: string) => {
    lines.push(line)
    wake()
  }
  const keeper = new TlsKeeper({ config: () => kept.config, changed: wake, log, ...differs })
  keeper.commit(await keeper.prepare(config))
  after(() => keeper.stop())
  const until = (what: string, holds: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      const deadline = setTimeout(() => reject(new Error(`not in time: ${what}; ${lines.join(' | ')}`)), 5_000)
      const look = () => {
        if (!holds()) return
        clearTimeout(deadline)
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  return Object.assign(kept, { keeper, lines, now: () => keeper.material(kept.config), until })
}

const two = '{ certificates: [{ cert: a.pem, key: a.key }, { cert: ec.pem, key: ec.key }] }'

test('a listener gets its certificates in sets, and servers what they are spoken to with', async () => {
  write('a', first)
  write('ec', ec)
  const { now } = await keeping(configOf(two, 'tls: { ca: root.pem, certificate: { cert: a.pem, key: a.key } }'))
  const { listeners, servers, ticketKeys } = now()
  const web = listeners['web']
  assert.equal(web?.sets.length, 1)
  assert.equal(web?.sets[0]?.length, 2)
  assert.deepEqual(web?.names, [{ name: 'a.example', set: 0 }])
  assert.deepEqual([web?.minVersion, web?.maxVersion, web?.defaultSet, web?.handshakeMs], [0x0303, 0x0304, 0, 10_000])
  assert.deepEqual(web?.alpn, ['http/1.1'])
  assert.equal(servers['api/server.example:443']?.serverName, 'server.example')
  assert.equal(servers['api/b']?.serverName, '10.0.0.1')
  assert.equal(servers['api/b']?.common, servers['api/server.example:443']?.common)
  assert.match(servers['api/b']?.common.ca ?? '', /BEGIN CERTIFICATE/)
  assert.deepEqual(
    ticketKeys.map((key) => key.length),
    [80],
  )
  assert.equal(now(), now())
})

test('a pair that changes on disk is served soon, a broken one never, and only the new one counts', async () => {
  write('a', first)
  write('ec', ec)
  const { keeper, now, until, lines } = await keeping(configOf(two))
  keeper.start()
  const before = now()
  writeFileSync(join(directory, 'a.pem'), second.cert)
  await until('the mismatch is told', () =>
    lines.some((line) => line.includes('a.key: this key does not belong to the certificate; what was')),
  )
  assert.equal(now(), before)
  writeFileSync(join(directory, 'a.key'), second.key)
  await until('the new pair is served', () => now().listeners['web']?.sets[0]?.[0]?.chain === `${second.x509.toString('pem')}\n`)
  assert.notEqual(now().listeners['web']?.id, before.listeners['web']?.id)
  assert.equal(now().listeners['web']?.sets[0]?.[1]?.chain, before.listeners['web']?.sets[0]?.[1]?.chain)
  assert.equal(now().listeners['web']?.sessionContext, before.listeners['web']?.sessionContext)
  assert.doesNotMatch(lines.join('\n'), /PRIVATE|BEGIN/)
})

test('a folder that is swapped by a symbolic link is noticed', async () => {
  write('old', first)
  write('new', second)
  for (const kind of ['pem', 'key']) symlinkSync(join(directory, `old.${kind}`), join(directory, `link.${kind}`))
  const { keeper, now, until } = await keeping(configOf('{ certificates: [{ cert: link.pem, key: link.key }] }'))
  keeper.start()
  const id = now().listeners['web']?.id
  for (const kind of ['pem', 'key']) {
    symlinkSync(join(directory, `new.${kind}`), join(directory, 'next'))
    renameSync(join(directory, 'next'), join(directory, `link.${kind}`))
  }
  await until('the new pair is served', () => now().listeners['web']?.id !== id)
})

test('a valid certificate does not give way to one that has expired', async () => {
  write('a', first)
  write('ec', ec)
  const { keeper, now, until, lines } = await keeping(configOf(two))
  keeper.start()
  const before = now()
  write('a', await make({ names: ['a.example'], kind: 'rsa', by: root, fromMs: -2 * 86_400_000, untilMs: -86_400_000 }))
  await until('it is told', () => lines.some((line) => line.includes('a.pem: the new certificate has expired')))
  assert.equal(now(), before)
})

test('a config whose files are bad is refused with file and reason, and nothing changes', async () => {
  write('a', first)
  write('ec', ec)
  const { keeper, now } = await keeping(configOf(two))
  const before = now()
  const refuse = (tls: string, reason: RegExp) => assert.rejects(keeper.prepare(configOf(tls)), reason)
  await refuse('{ certificates: [{ cert: none.pem, key: a.key }] }', /none\.pem: no such file/)
  await refuse('{ certificates: [{ cert: a.pem, key: ec.key }] }', /ec\.key: this key does not belong to the certificate/)
  await refuse('{ certificates: [{ cert: a.pem, key: a.key }], clientAuth: { mode: required, ca: a.key } }', /a\.key: holds no certificate/)
  await refuse('{ certificates: [{ cert: a.pem, key: a.key, ocsp: a.pem }] }', /a\.pem: is no OCSP response in DER/)
  assert.equal(now(), before)
})

test('a listener without a certificate yet has one that stands in, until its source has one', async () => {
  const standIn = { chain: second.cert, key: second.key, ocsp: null }
  const issued: TlsCertificate[] = []
  const tokens: Record<string, string> = {}
  const calls: string[] = []
  let events: SourceEvents | undefined
  const source: CertificateSource = {
    current: () => issued,
    challenges: () => [{ name: 'a.example', certificate: standIn }],
    tokens: () => tokens,
    start: () => calls.push('start'),
    close: () => calls.push('close'),
  }
  const sources = {
    acme: async (_: unknown, given: SourceEvents) => {
      calls.push('make')
      events = given
      return source
    },
    internal: () => assert.fail('nobody wants it'),
    placeholder: async () => standIn,
  }
  const config = configOf('{ acme: { domains: [a.example], agreeToTerms: true } }')
  const { keeper, now, until } = await keeping(config, { sources })
  assert.equal(now().listeners['web']?.sets[0]?.[0]?.key.trim(), second.key.trim())
  assert.equal(now().listeners['web']?.challenges[0]?.name, 'a.example')
  keeper.start()
  issued.push({ chain: first.cert, key: first.key, ocsp: null })
  tokens['t'] = 't.proof'
  events?.changed()
  await until('the issued one is served', () => now().listeners['web']?.sets[0]?.[0]?.key.trim() === first.key.trim())
  assert.deepEqual(now().challenges, { t: 't.proof' })
  keeper.commit(await keeper.prepare(configOf('{ acme: { domains: [a.example], agreeToTerms: true }, tickets: off }')))
  assert.deepEqual(calls, ['make', 'start'])
  const other = await keeper.prepare(configOf('{ acme: { domains: [b.example], agreeToTerms: true } }'))
  keeper.rollback(other)
})

test('when certificates end is told per name, the earliest first', async () => {
  write('a', first)
  write('ec', ec)
  const { keeper } = await keeping(configOf(two))
  const [end, ...rest] = keeper.ends()
  assert.deepEqual([end?.listener, end?.name, rest.length], ['web', 'a.example', 0])
  assert.ok(Math.abs((end?.notAfterMs ?? 0) - Date.now() - 365 * 86_400_000) < 60_000)
})
