/** The account with an ACME server: its key and address, kept in one file. */
import type { Client } from 'acme-client'
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

/** The account in this file, or a new one of this key that is not known to the server yet. */
export async function readAccount(file: string, newKey: () => Promise<string>): Promise<Account> {
  const text = readPrivateFile(file)
  if (text === null) return { key: await newKey(), url: null, email: null }
  const { key, url, email } = JSON.parse(text) as Partial<Account>
  if (typeof key !== 'string') throw new Error(`${file} holds no account: move it away, and a new one is made`)
  return { key, url: url ?? null, email: email ?? null }
}

/** Makes the account known to the server, or tells it a new address. Answers it as it was stored. */
export async function registerAccount(client: Client, account: Account, to: { file: string; email: string | null }): Promise<Account> {
  const { file, email } = to
  if (account.url !== null && account.email === email) return account
  const contact = email === null ? [] : [`mailto:${email}`]
  if (account.url === null) await client.createAccount({ termsOfServiceAgreed: true, contact })
  else await client.updateAccount({ contact })
  const registered = { key: account.key, url: client.getAccountUrl(), email }
  await writePrivateFile(file, `${JSON.stringify(registered, null, 2)}\n`)
  return registered
}

/** Whether the server has forgotten the account, as one for tests does when it starts anew. */
export function isUnknownAccount(error: unknown): boolean {
  return error instanceof AcmeRefusal && error.kind === 'accountDoesNotExist'
}
