/** What other TLS programs say about a listener: OpenSSL's, GnuTLS's and curl's clients. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { inTime, until } from './wait.ts'

const WITHIN_MS = 10_000

export interface ProgramEnd {
  code: number | null
  /** Standard output and standard error. */
  text: string
}

export interface Negotiated extends ProgramEnd {
  /** Whether a session was agreed on. */
  isAgreed: boolean
  /** `TLSv1.2`, `TLSv1.3`; '' without a session, as all of these. */
  version: string
  cipher: string
  /** Group of the key exchange, as OpenSSL calls it: `X25519`, `prime256v1`, `secp384r1`. */
  group: string
  /** Common name of the certificate that was shown. */
  commonName: string
  /** Kind of its key. */
  kind: 'ecdsa' | 'rsa' | ''
  alpn: string
  isResumed: boolean
  isVerified: boolean
}

/** Runs a program to its end; `input` is sent once it runs, and its standard input then ended. */
export async function runProgram(program: string, args: readonly string[], input = '', within = WITHIN_MS): Promise<ProgramEnd> {
  const { child, text, closed } = begin(program, args)
  child.stdin.end(input)
  const code = await inTime(closed, { within, what: `the end of ${program} ${args.join(' ')}` }).catch((error: Error) => {
    child.kill('SIGKILL')
    throw new Error(`${error.message}\n${text()}`)
  })
  return { code, text: text() }
}

/** What `openssl s_client` says once its session is there and it asks for another handshake in it (TLS 1.2). */
export async function renegotiate(port: number, args: readonly string[]): Promise<string> {
  const { child, text, closed } = begin('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_2', ...args])
  await until(() => text().includes('Verify return code'), { what: 'the session' })
  // A line with nothing but R is the order.
  child.stdin.write('R\n')
  await inTime(closed, { within: WITHIN_MS, what: 'the end of s_client' }).finally(() => child.kill('SIGKILL'))
  return text()
}

/**
 * `openssl s_client` towards a port. It leaves once the session is there; with a `request` when that was answered and the other side
 * has closed, so that it also has the tickets of TLS 1.3.
 */
export async function sClient(port: number, args: readonly string[] = [], request = ''): Promise<Negotiated> {
  const { child, text, closed } = begin('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args])
  if (request === '') child.stdin.end()
  else child.stdin.write(request)
  const code = await inTime(closed, { within: WITHIN_MS }).catch(() => {
    child.kill('SIGKILL')
    throw new Error(`s_client ${args.join(' ')} did not end:\n${text()}`)
  })
  return readSClient({ code, text: text() })
}

/** Reads what `s_client` prints; also of a session that it resumed, where no certificate is shown. */
function readSClient(end: ProgramEnd): Negotiated {
  const find = (pattern: RegExp) => pattern.exec(end.text)?.[1] ?? ''
  const chosen = /^(New|Reused), (TLSv[\d.]+), Cipher is (\S+)$/m.exec(end.text)
  const isAgreed = chosen !== null && !/alert (handshake failure|protocol version|unrecognized name|internal error)/.test(end.text)
  const peer = find(/^Peer signature type: (\S+)$/m)
  return {
    ...end,
    isAgreed,
    version: isAgreed ? find(/^ {4}Protocol {2}: (\S+)$/m) || find(/^(?:New|Reused), (TLSv[\d.]+)/m) : '',
    cipher: chosen?.[3] ?? '',
    group: groupOf(find(/^(?:Server|Peer) Temp Key: (.+)$/m)),
    commonName: find(/^subject=.*?CN ?= ?([^,\n]+)/m),
    kind: peer === 'ECDSA' ? 'ecdsa' : peer.startsWith('RSA') ? 'rsa' : '',
    alpn: find(/^ALPN protocol: (\S+)$/m),
    isResumed: chosen?.[1] === 'Reused',
    isVerified: /^ *Verify return code: 0 \(ok\)$/m.test(end.text),
  }
}

// `X25519, 253 bits`, `ECDH, prime256v1, 256 bits`
function groupOf(line: string): string {
  const parts = line.split(', ')
  return (parts[0] === 'ECDH' ? parts[1] : parts[0]) ?? ''
}

/** `gnutls-cli` towards a port, with a priority string of its own. */
export async function gnutlsClient(
  port: number,
  { ca, name, priority = 'NORMAL', input = '' }: { ca: string; name: string; priority?: string; input?: string },
): Promise<ProgramEnd & { description: string; answer: string }> {
  const args = [
    '--x509cafile',
    ca,
    '--sni-hostname',
    name,
    '--verify-hostname',
    name,
    '--priority',
    priority,
    '-p',
    String(port),
    '127.0.0.1',
  ]
  const end = await runProgram('gnutls-cli', args, input)
  return { ...end, description: /^- Description: (.+)$/m.exec(end.text)?.[1] ?? '', answer: end.text.slice(end.text.indexOf('HTTP/1.1')) }
}

/** `curl` for one URL whose host is answered by a port of this machine; `-i`, so the head is in the text. */
export function curlTo(url: string, ca: string, ...args: string[]): Promise<ProgramEnd> {
  const { hostname, port } = new URL(url)
  const resolve = ['--resolve', `${hostname}:${port}:127.0.0.1`, '--noproxy', '*']
  return runProgram('curl', ['-sSi', '--max-time', '8', '--cacert', ca, ...resolve, ...args, url])
}

/** A session file of `s_client -sess_out`, to be sure that it is one. */
export function hasSession(path: string): boolean {
  return readFileSync(path, 'latin1').includes('BEGIN SSL SESSION')
}

function begin(program: string, args: readonly string[]) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const parts: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => void parts.push(bytes))
  // A program that ends before its input does.
  child.stdin.on('error', () => undefined)
  const closed = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  return { child, closed, text: () => Buffer.concat(parts).toString('utf8') }
}
