/** Just enough of RFC 1035 to answer the questions of a resolver. */

export type DnsRecord =
  | { type: 'A'; ttl: number; address: string }
  | { type: 'AAAA'; ttl: number; address: string }
  | { type: 'SRV'; ttl: number; target: string; port: number; priority: number; weight: number }

export interface Question {
  id: number
  name: string
  type: 'A' | 'AAAA' | 'SRV' | 'other'
  /** The question's section, to be sent back. */
  bytes: Buffer
}

const numbers = { A: 1, AAAA: 28, SRV: 33 }
const HEADER = 12

export function readQuestion(message: Buffer): Question {
  const labels: string[] = []
  let at = HEADER
  for (let length = message[at]!; length > 0; length = message[at]!) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const number = message.readUInt16BE(at + 1)
  const type = (Object.keys(numbers) as (keyof typeof numbers)[]).find((name) => numbers[name] === number) ?? 'other'
  return { id: message.readUInt16BE(0), name: labels.join('.').toLowerCase(), type, bytes: message.subarray(HEADER, at + 5) }
}

/** `code` is the RCODE: 0 NOERROR, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED. */
export function writeAnswer(question: Question, records: DnsRecord[], { code = 0, truncated = false } = {}): Buffer {
  const header = Buffer.alloc(HEADER)
  header.writeUInt16BE(question.id, 0)
  header.writeUInt16BE(0x8180 | (truncated ? 0x0200 : 0) | code, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(records.length, 6)
  return Buffer.concat([header, question.bytes, ...records.map(writeRecord)])
}

function writeRecord(record: DnsRecord): Buffer {
  const data = writeData(record)
  const fixed = Buffer.alloc(12)
  // A pointer to the name of the question.
  fixed.writeUInt16BE(0xc000 | HEADER, 0)
  fixed.writeUInt16BE(numbers[record.type], 2)
  fixed.writeUInt16BE(1, 4)
  fixed.writeUInt32BE(record.ttl, 6)
  fixed.writeUInt16BE(data.length, 10)
  return Buffer.concat([fixed, data])
}

function writeData(record: DnsRecord): Buffer {
  if (record.type === 'A') return Buffer.from(record.address.split('.').map(Number))
  if (record.type === 'AAAA') return writeIPv6(record.address)
  const numbersOfSrv = Buffer.alloc(6)
  ;[record.priority, record.weight, record.port].forEach((value, i) => {
    numbersOfSrv.writeUInt16BE(value, i * 2)
  })
  return Buffer.concat([numbersOfSrv, writeName(record.target)])
}

function writeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  return Buffer.concat([...labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1')), Buffer.of(0)])
}

function writeIPv6(address: string): Buffer {
  const [head = '', tail] = address.split('::')
  const groups = (text: string | undefined) => (text ? text.split(':').map((group) => Number.parseInt(group, 16)) : [])
  const [first, last] = [groups(head), groups(tail)]
  const all = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last]
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]))
}
