/** What is wrong with the certificates that a config names, as `weir check` tells it. */
import type { X509Certificate } from 'node:crypto'
import type { Config } from '../config/model.ts'
import type { ConfigProblem } from '../config/problem.ts'
import type { CertificatePair } from './certificate-pair.ts'
import { certificateSets } from './certificate-sets.ts'
import { stateOf } from './certificate-state.ts'
import { readAuthorities, readPairFiles, requireUsable } from './read-files.ts'
import { knownIssuers } from './system-authorities.ts'

export interface TlsFindings {
  /** What keeps weir from starting. */
  problems: ConfigProblem[]
  /** Certificates that clients do not believe now: expired, or not valid yet. They are served all the same. */
  outOfDate: ConfigProblem[]
  warnings: ConfigProblem[]
}

/** Where something stands in the config. */
interface Place {
  path: string
  line: number
}

/** Reads all files that are named for TLS. Never throws. */
export function checkTls(config: Config, nowMs: number, isKnown: (certificate: X509Certificate) => boolean = knownIssuers()): TlsFindings {
  const findings = new Findings(config.source)
  for (const { name, tls } of config.listeners) {
    if (tls === null) continue
    const pairs = tls.certificates.flatMap((files) => {
      const pair = findings.read(files.place, () => usablePair(files))
      if (pair !== null) findings.judge(files.place, files.cert, stateOf(pair, nowMs, isKnown))
      return pair === null ? [] : [{ ...pair, files }]
    })
    for (const { files } of certificateSets(pairs).unused)
      findings.warn(files.place, `${files.cert}: no client ever gets it: those before it are for the same names`)
    const { clientAuth } = tls
    if (clientAuth !== null) findings.read({ path: `listeners.${name}.tls.clientAuth.ca`, line: 0 }, () => readAuthorities(clientAuth.ca))
  }
  for (const { tls, place } of config.upstreams) {
    if (tls === null) continue
    const { ca, certificate } = tls
    if (ca !== null) findings.read({ ...place, path: `${place.path}.tls.ca` }, () => readAuthorities(ca))
    if (certificate === null) continue
    const at = { ...place, path: `${place.path}.tls.certificate` }
    const pair = findings.read(at, () => usablePair(certificate))
    if (pair !== null)
      findings.judge(
        at,
        certificate.cert,
        stateOf(pair, nowMs, () => true),
      )
  }
  return findings
}

function usablePair(files: Parameters<typeof readPairFiles>[0]): CertificatePair {
  const pair = readPairFiles(files)
  requireUsable(pair, files.cert)
  return pair
}

class Findings implements TlsFindings {
  readonly problems: ConfigProblem[] = []
  readonly outOfDate: ConfigProblem[] = []
  readonly warnings: ConfigProblem[] = []
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  /** What `work` makes, or null when it cannot. */
  read<T>(place: Place, work: () => T): T | null {
    try {
      return work()
    } catch (error) {
      this.problems.push(this.#problem(place, (error as Error).message))
      return null
    }
  }

  judge(place: Place, file: string, { problem, warnings }: ReturnType<typeof stateOf>): void {
    if (problem !== null) this.outOfDate.push(this.#problem(place, `${file}: ${problem}`))
    for (const warning of warnings) this.warn(place, `${file}: ${warning}`)
  }

  warn(place: Place, message: string): void {
    this.warnings.push(this.#problem(place, message))
  }

  #problem({ path, line }: Place, message: string): ConfigProblem {
    return { file: this.#file, line: line > 0 ? line : null, column: null, path, message, hint: null, excerpt: null }
  }
}
