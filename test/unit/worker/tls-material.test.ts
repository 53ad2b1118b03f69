import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TlsServerOptions } from '../../../src/native/contract.ts'
import { noTls, type ServerTls } from '../../../src/shared/ipc/tls-material.ts'
import { AppliedTls } from '../../../src/worker/tls-material.ts'

const listener = (id: string) => ({ id }) as TlsServerOptions
const server = (id: string): ServerTls => ({ id, serverName: 'a', common: {} as ServerTls['common'] })

function fake(refuses: () => boolean = () => false) {
  const calls: string[] = []
  const note = (text: string) => {
    if (refuses()) throw new Error('OpenSSL does not take it')
    calls.push(text)
  }
  const applied = new AppliedTls({
    setListenerTls: (row, options) => note(`listener ${row} ${options?.id ?? null}`),
    setServerTls: (row, options) => note(`server ${row} ${options?.id ?? null}`),
    setTicketKeys: (keys) => note(`tickets ${keys.length}`),
  })
  return { applied, took: () => calls.splice(0) }
}

const rows = (listeners: [string, number][], servers: Record<string, number> = {}) => ({ listeners: new Map(listeners), servers })

test('the engine is told only of what is other than before', () => {
  const { applied, took } = fake()
  const material = { ...noTls(), listeners: { web: listener('1') }, servers: { 'u/a': server('1') }, ticketKeys: [new Uint8Array(80)] }
  const place = rows(
    [
      ['web', 0],
      ['plain', 1],
    ],
    { 'u/a': 0, 'u/b': 1 },
  )
  assert.deepEqual(applied.apply(material, place), [])
  assert.deepEqual(took(), ['tickets 1', 'listener 0 1', 'server 0 1'])
  applied.apply(structuredClone(material), place)
  assert.deepEqual(took(), [])
  applied.apply({ ...material, listeners: { web: listener('2') } }, place)
  assert.deepEqual(took(), ['listener 0 2'])
  applied.apply({ ...noTls(), ticketKeys: material.ticketKeys }, place)
  assert.deepEqual(took(), ['listener 0 null', 'server 0 null'])
})

test('a row begins anew with another server, and after it was empty', () => {
  const { applied, took } = fake()
  const servers = { 'u/a': server('1'), 'u/c': server('1') }
  applied.apply({ ...noTls(), servers }, rows([], { 'u/a': 5 }))
  applied.apply({ ...noTls(), servers }, rows([], { 'u/c': 5 }))
  assert.deepEqual(took(), ['server 5 1', 'server 5 1'])
  applied.apply({ ...noTls(), servers }, rows([], {}))
  applied.apply({ ...noTls(), servers }, rows([], { 'u/c': 5 }))
  assert.deepEqual(took(), ['server 5 1'])
  applied.apply({ ...noTls(), servers }, rows([], { 'u/plain': 5 }))
  assert.deepEqual(took(), ['server 5 null'])
})

test('what the engine does not take stays as it was, and nothing is ever spoken in plain in its place', () => {
  let refuses = false
  const { applied, took } = fake(() => refuses)
  const place = rows([['web', 0]])
  applied.apply({ ...noTls(), listeners: { web: listener('1') } }, place)
  took()
  refuses = true
  assert.deepEqual(applied.apply({ ...noTls(), listeners: { web: listener('2') } }, place), [
    'TLS of listener web: OpenSSL does not take it',
  ])
  assert.throws(
    () =>
      applied.apply(
        { ...noTls(), listeners: { web: listener('1'), late: listener('1') } },
        rows([
          ['web', 0],
          ['late', 1],
        ]),
      ),
    /TLS of listener late: OpenSSL does not take it/,
  )
  refuses = false
  applied.apply({ ...noTls(), listeners: { web: listener('2') } }, place)
  assert.deepEqual(took(), ['listener 0 2'])
})
