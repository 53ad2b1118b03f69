/** The two tables of the README about speed, between comments that mark them, made from records. */
import { median, spread, text } from '../lib/numbers.ts'
import { type BenchRecord, valuesOf } from '../lib/record.ts'
import { markdownTable, percent } from './markdown.ts'

interface Row {
  label: string
  case: string
  metric: string
  /** The number with its unit. */
  write(value: number): string
}

const micro = (value: number): string => `${text(value)} µs`
const milli = (value: number): string => `${text(value)} ms`
const bytes = (value: number): string => (value >= 10_000 ? `${text(value / 1000)} KB` : `${text(value)} B`)

const rows: Record<TableName, Row[]> = {
  peers: [
    { label: 'CPU per small request', case: 'http-small', metric: 'cpuUs', write: micro },
    { label: 'small requests per second', case: 'http-small', metric: 'rps', write: text },
    { label: 'CPU per connection with one request', case: 'http-connect', metric: 'cpuUs', write: micro },
    { label: 'CPU per GB in 1 MiB bodies', case: 'http-large', metric: 'cpuMsPerGb', write: milli },
    { label: 'p99 at 70 % of the most nginx can do', case: 'http-latency', metric: 'p99', write: micro },
    { label: 'CPU per 64-byte message over TCP', case: 'tcp-small', metric: 'cpuUs', write: micro },
    { label: 'CPU per GB over TCP, 1 MiB at a time', case: 'tcp-bulk-1m', metric: 'cpuMsPerGb', write: milli },
    { label: 'CPU per GB over TCP, 64 MiB at a time', case: 'tcp-bulk-64m', metric: 'cpuMsPerGb', write: milli },
    { label: 'user memory per idle client', case: 'idle-memory', metric: 'bytesPerConnection', write: bytes },
    { label: 'memory of all processes (RSS)', case: 'http-small', metric: 'rssMb', write: (value) => `${text(value)} MB` },
  ],
  tls: [
    { label: 'CPU per small request', case: 'tls-small', metric: 'cpuUs', write: micro },
    { label: 'CPU per GB in 1 MiB bodies', case: 'tls-large', metric: 'cpuMsPerGb', write: milli },
    { label: 'full handshakes per CPU second', case: 'tls-handshakes', metric: 'perCpuSecond', write: text },
    { label: 'resumed ones', case: 'tls-resumed', metric: 'perCpuSecond', write: text },
    { label: 'user memory per idle client', case: 'tls-idle-memory', metric: 'bytesPerConnection', write: bytes },
  ],
}

export type TableName = 'peers' | 'tls'

const columns = [
  ['weir', 'weir'],
  ['nginx', 'nginx'],
  ['haproxy', 'HAProxy'],
  ['caddy', 'Caddy'],
] as const

/** Throws when the README has no such marks. */
export function withTable(readme: string, name: TableName, record: BenchRecord): string {
  const [begin, end] = [`<!-- begin ${name}: written by make bench-report -->`, `<!-- end ${name} -->`]
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`README.md needs the lines ${begin} and ${end}`)
  return `${readme.slice(0, from)}${begin}\n\n${speedTable(name, record)}\n\n${readme.slice(to)}`
}

/** A sentence about how, and the table. */
export function speedTable(name: TableName, record: BenchRecord): string {
  const peers = columns.filter(([peer]) =>
    record.results.some((result) => peer in result.samples && rows[name].some((row) => row.case === result.name)),
  )
  const body = rows[name].flatMap((row) => {
    const cells = peers.map(([peer]) => cellOf(record, row, peer))
    return cells.every((cell) => cell === '–') ? [] : [[row.label, ...cells]]
  })
  return `${introduction(name, record)}\n\n${markdownTable([['', ...peers.map(([, title]) => title)], ...body])}`
}

function cellOf(record: BenchRecord, row: Row, peer: string): string {
  const result = record.results.find((each) => each.name === row.case)
  const values = result === undefined ? [] : valuesOf(result, peer, row.metric)
  if (values.length === 0) return '–'
  const share = spread(values)
  const value = row.write(median(values))
  return `${peer === 'weir' ? `**${value}**` : value}${values.length > 1 && share > 0 ? ` ±${percent(share)}` : ''}`
}

function introduction(name: TableName, { machine, rounds, seconds, time }: BenchRecord): string {
  const where = `${machine.cores} cores of ${machine.virtual ? 'a virtual machine with ' : ''}${machine.cpu}, Node ${machine.node}`
  const when = `${time.slice(0, 10)}, ${rounds} rounds of ${seconds} s`
  if (name === 'tls') {
    return `The same over TLS, by \`make bench-tls\`: TLS 1.3 with X25519 and AES-128-GCM, an ECDSA certificate, OpenSSL ${machine.nodeOpenssl} in weir\nand ${machine.openssl} in the others (${when}):`
  }
  const versions = Object.entries({ nginx: machine.nginx, HAProxy: machine.haproxy, Caddy: machine.caddy })
    .map(([program, version]) => `${program} ${version.split('-')[0]}`)
    .join(', ')
  return `One worker on one core, TypeScript deciding each request; ${where};\n${versions}, each with the same work in turn, by \`make bench-peers\`\n(${when}; medians, ± half the range):`
}
