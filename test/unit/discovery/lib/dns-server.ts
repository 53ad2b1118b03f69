import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Scope } from '../../../scenario/lib/wait.ts'
import { type DnsRecord, type Question, readQuestion, writeAnswer } from './dns-message.ts'

/** What the server says of a name. `silent`: nothing at all. `truncated`: the whole answer only over TCP. */
export type Zone = DnsRecord[] | 'nxdomain' | 'servfail' | 'refused' | 'silent' | { truncated: DnsRecord[] }

export interface DnsServer {
  /** `127.0.0.1:port`, for UDP and TCP. */
  address: string
  /** By name in lower case, or by `name TYPE` for one type of record only. Names that are not in it do not exist. */
  zones: Map<string, Zone>
  /** `A api.test` and so on, in the order in which they came; `tcp A api.test` over TCP. */
  questions: string[]
}

const codes = { nxdomain: 3, servfail: 2, refused: 5 }

/** A little DNS server on 127.0.0.1, which ends with the test. */
export async function startDnsServer(scope: Scope, zones: Record<string, Zone> = {}): Promise<DnsServer> {
  const server: DnsServer = { address: '', zones: new Map(Object.entries(zones)), questions: [] }
  const tcp = createServer((socket) => serveTcp(socket, server))
  tcp.listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp4')
  udp.on('message', (message, peer) => {
    const answer = answerTo(server, message, false)
    if (answer) udp.send(answer, peer.port, peer.address)
  })
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')
  scope.after(() => {
    udp.close()
    tcp.close()
  })
  server.address = `127.0.0.1:${port}`
  return server
}

function serveTcp(socket: Socket, server: DnsServer): void {
  let received = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes])
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0)
      const answer = answerTo(server, received.subarray(2, end), true)
      received = received.subarray(end)
      if (answer) socket.write(Buffer.concat([Buffer.of(answer.length >> 8, answer.length & 255), answer]))
    }
  })
}

function answerTo(server: DnsServer, message: Buffer, isTcp: boolean): Buffer | null {
  const question = readQuestion(message)
  server.questions.push(`${isTcp ? 'tcp ' : ''}${question.type} ${question.name}`)
  const zone = server.zones.get(`${question.name} ${question.type}`) ?? server.zones.get(question.name) ?? 'nxdomain'
  if (zone === 'silent') return null
  if (typeof zone === 'string') return writeAnswer(question, [], { code: codes[zone] })
  if (Array.isArray(zone)) return writeAnswer(question, fitting(zone, question))
  return isTcp ? writeAnswer(question, fitting(zone.truncated, question)) : writeAnswer(question, [], { truncated: true })
}

function fitting(records: DnsRecord[], { type }: Question): DnsRecord[] {
  return records.filter((record) => record.type === type)
}

export function a(address: string, ttl = 5): DnsRecord {
  return { type: 'A', address, ttl }
}

export function aaaa(address: string, ttl = 5): DnsRecord {
  return { type: 'AAAA', address, ttl }
}

export function srv(target: string, port: number, { priority = 0, weight = 1, ttl = 5 } = {}): DnsRecord {
  return { type: 'SRV', target, port, priority, weight, ttl }
}
