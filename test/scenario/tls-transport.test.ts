// The files of plain HTTP over TLS: the same ones, with WEIR_TEST_TRANSPORT=tls. A selection of their tests runs by itself, all of them
// with WEIR_TLS_FILES=all (`make test-tls`), some with WEIR_TLS_FILES=keep-alive,chunked.
import { spawn } from 'node:child_process'
import { copyFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { authority } from './lib/certificates.ts'
import { file } from './lib/file-scope.ts'
import { folderFor } from './lib/tools.ts'
import { TRANSPORT_NAMES } from './lib/transport.ts'
import { withoutTls } from './lib/transport-exceptions.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const WITHIN_MS = 300_000

/** What runs with `make test`: files, and which of their tests; all of them where it is ''. */
const SELECTION: Record<string, string> = {
  'keep-alive': '',
  chunked: '',
  websocket: '^(a WebSocket echoes|pings|the handshake|bytes that come|one direction|a client|a server)',
  retries: '^(statuses that are listed|when all answer|a status that is not)',
  'graceful-stop': 'without traffic|that ends within the grace',
}

const ca = await authority(file)
const certificate = await ca.issue({ names: TRANSPORT_NAMES })
const folder = folderFor(file, 'transport')
for (const [from, to] of [
  [ca.path, 'ca.pem'],
  [certificate.path, 'server.pem'],
  [certificate.keyPath, 'server.key'],
] as const)
  copyFileSync(from, join(folder, to))

/** Runs one file over TLS as `node --test` would. @throws with what it wrote when it fails */
async function overTls(path: string, pattern: string): Promise<void> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const trust = { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'), SSL_CERT_FILE: join(folder, 'ca.pem') }
  const names = pattern === '' ? [] : [`--test-name-pattern=/${pattern}/`]
  const child = spawn(process.execPath, ['--import', 'tsx', ...names, path], {
    cwd: ROOT,
    env: { ...env, ...trust, WEIR_TEST_TRANSPORT: 'tls', WEIR_TEST_CERTIFICATES: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: WITHIN_MS,
  })
  const parts: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => void parts.push(bytes))
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  const text = Buffer.concat(parts).toString('utf8')
  if (code !== 0) throw new Error(`${path} over TLS ended with ${code}:\n${text}`)
  if (!/^(# |ℹ )pass [1-9]/m.test(text)) throw new Error(`${path} over TLS ran no test:\n${text}`)
}

const inFolder = (path: string) =>
  readdirSync(join(ROOT, path))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => ({ name: name.slice(0, -'.test.ts'.length), path: join(path, name) }))

const asked = process.env['WEIR_TLS_FILES']
const all = [...inFolder('test/scenario'), ...inFolder('test/wire')].sort((a, b) => a.name.localeCompare(b.name))
const isChosen = (name: string) => (asked === undefined ? name in SELECTION : asked === 'all' || asked.split(',').includes(name))

describe('over TLS', { concurrency: asked === undefined ? 1 : 2 }, () => {
  for (const { name, path } of all.filter((one) => isChosen(one.name)))
    test(`${name} passes over TLS, too`, { skip: withoutTls(name) ?? false, timeout: WITHIN_MS }, () =>
      overTls(path, asked === undefined ? (SELECTION[name] ?? '') : ''),
    )
})
