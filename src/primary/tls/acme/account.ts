/** The account with an ACME server: its key and address, kept in one file. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from 'acme-client'
import { takeLock } from '../storage/file-lock.ts'
import { readPrivateFile, writePrivateFile } from '../storage/private-file.ts'
import { AcmeRefusal } from './acme-requests.ts'

export interface Account {
  /** PEM. */
  key: string
  /** null: the server does not know the key yet. */
  url: string | null
  /** What the server was told. */
  email: string | null
}

export interface AccountTask {
  /** Where the account is kept. */
  file: string
  email: string | null
  newKey(): Promise<string>
  clientOf(account: Account): Client
  signal: AbortSignal
}

/** Several listeners need the account at the same time; one of them makes it. */
const LOCKED_MS = 200

/** A client with an account that the server knows. `forgotten`: the address of one that it no longer knows. @throws in words */
export async function openAccount(task: AccountTask, forgotten: string | null = null): Promise<Client> {
  for (;;) {
    const stored = read(task.file)
    if (stored?.url != null && stored.url !== forgotten && stored.email === task.email) return task.clientOf(stored)
    const lock = await takeLock(`${task.file}.lock`)
    if (lock === null) {
      await delay(LOCKED_MS, undefined, { signal: task.signal })
      continue
    }
    try {
      return await register(task, forgotten)
    } finally {
      await lock.release()
    }
  }
}

async function register(task: AccountTask, forgotten: string | null): Promise<Client> {
  const { file, email } = task
  // Another one may have been faster.
  const stored = read(file) ?? { key: await task.newKey(), url: null, email: null }
  const account = stored.url === forgotten ? { ...stored, url: null } : stored
  const client = task.clientOf(account)
  const contact = email === null ? [] : [`mailto:${email}`]
  if (account.url === null) await client.createAccount({ termsOfServiceAgreed: true, contact })
  else if (account.email !== email) await client.updateAccount({ contact })
  const registered: Account = { key: account.key, url: client.getAccountUrl(), email }
  await writePrivateFile(file, `${JSON.stringify(registered, null, 2)}\n`)
  return client
}

/** null: there is none. */
function read(file: string): Account | null {
  const text = readPrivateFile(file)
  if (text === null) return null
  const { key, url = null, email = null } = JSON.parse(text) as Partial<Account>
  if (typeof key !== 'string') throw new Error(`${file} holds no account: move it away, and a new one is made`)
  return { key, url, email }
}

/** Whether the server has forgotten the account, as one for tests does when it starts anew. */
export function isUnknownAccount(error: unknown): boolean {
  return error instanceof AcmeRefusal && error.kind === 'accountDoesNotExist'
}
