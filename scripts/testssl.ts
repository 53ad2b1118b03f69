/** Runs testssl.sh against a balancer with the default TLS options, and fails on any finding above LOW. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startBalancer } from '../test/scenario/lib/balancer.ts'
import { authority } from '../test/scenario/lib/certificates.ts'
import { config } from '../test/scenario/lib/config.ts'
import { startServer } from '../test/scenario/lib/server.ts'
import { findTool, folderFor } from '../test/scenario/lib/tools.ts'
import type { Scope } from '../test/scenario/lib/wait.ts'

const ALLOWED = new Set(['OK', 'INFO', 'LOW', 'DEBUG'])
/** About the authority of the test, which nobody knows and which answers no questions about its certificates. */
const OF_THE_TEST =
  /^cert_(chain_of_trust|revocation|crlDistributionPoints|ocspURL|trust|notAfter)|^DNS_CAArecord|^overall_grade|^grade_cap|^final_score/

interface Finding {
  id: string
  severity: string
  finding: string
}

const cleanups: (() => void | Promise<void>)[] = []
const scope: Scope = { after: (cleanup) => void cleanups.unshift(cleanup) }

async function findings(program: string): Promise<Finding[]> {
  const ca = await authority(scope)
  const names = ['localhost', '127.0.0.1']
  const made = await Promise.all([ca.issue({ names, kind: 'rsa' }), ca.issue({ names })])
  const certificates = made.map(({ path, keyPath }) => ({ cert: path, key: keyPath }))
  const server = await startServer(scope, (_req, res) => void res.end('here'))
  const weir = await startBalancer(scope, config({ servers: [server.address], listener: { protocol: 'https', tls: { certificates } } }))
  const report = join(folderFor(scope, 'testssl'), 'report.json')
  const options = ['--quiet', '--color', '0', '--warnings', 'batch', '--ip', '127.0.0.1', '--add-ca', ca.path, '--jsonfile', report]
  spawnSync(program, [...options, `localhost:${weir.port()}`], { stdio: ['ignore', 'inherit', 'inherit'] })
  return JSON.parse(readFileSync(report, 'utf8')) as Finding[]
}

async function main(): Promise<number> {
  const program = findTool('testssl') ?? findTool('testssl.sh')
  if (program === undefined) {
    console.error('needs testssl.sh (Debian: apt-get install testssl.sh)')
    return 1
  }
  try {
    const all = await findings(program)
    const bad = all.filter(({ id, severity }) => !ALLOWED.has(severity) && !OF_THE_TEST.test(id))
    for (const { id, severity, finding } of bad) console.error(`${severity} ${id}: ${finding}`)
    console.log(`${all.length} findings, ${bad.length} above LOW`)
    return bad.length === 0 && all.length > 50 ? 0 : 1
  } finally {
    for (const cleanup of cleanups) await cleanup()
  }
}

process.exitCode = await main()
