import { readFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import type { Client } from 'acme-client'
import type { AcmeConfig } from '../../../shared/config/tls-model.ts'
import { systemAuthorities } from '../../../shared/tls/system-authorities.ts'
import type { KeyAndCertificate } from '../x509/key-and-certificate.ts'
import { type AccountTask, isUnknownAccount, openAccount } from './account.ts'
import { type AcmeLibrary, withRequests } from './acme-requests.ts'
import { type AcmeStorage, checked } from './acme-storage.ts'
import { type ChallengeAnswer, orderCertificate, type Pace } from './order.ts'

export interface IssueTask {
  config: AcmeConfig
  storage: AcmeStorage
  pace: Pace
  /** Puts the answers where the server looks for them; done when they are there. */
  publish(answers: readonly ChallengeAnswer[]): Promise<void>
  signal: AbortSignal
}

/** A new certificate for all names of a config, with the account of its server. @throws with the reason in words */
export async function issueCertificate(task: IssueTask): Promise<KeyAndCertificate> {
  const { directory, directoryCa, domains } = task.config
  // Read each time: the file may have been replaced.
  const agent = new Agent({ ca: directoryCa === null ? systemAuthorities() : await readFile(directoryCa) })
  const made = await withRequests({ agent, signal: task.signal }, (acme) => ordered(acme, task))
  const usable = checked(made, domains)
  if (usable === null) throw new Error(`${new URL(directory).host} issued a certificate for other names`)
  return usable
}

async function ordered(acme: AcmeLibrary, task: IssueTask): Promise<KeyAndCertificate> {
  const { directory: directoryUrl, email, domains, challenge } = task.config
  const { publish, pace, signal } = task
  const newKey = async () => (await acme.crypto.createPrivateEcdsaKey('P-256')).toString()
  const makeRequest = async () => {
    const key = await newKey()
    const [, csr] = await acme.crypto.createCsr({ altNames: [...domains] }, key)
    return { key, csr: csr.toString() }
  }
  const clientOf: AccountTask['clientOf'] = ({ key, url }) =>
    new acme.Client({ directoryUrl, accountKey: key, ...(url === null ? {} : { accountUrl: url }) })
  const account: AccountTask = { file: task.storage.accountFile, email, newKey, clientOf, signal }
  const order = (client: Client) => orderCertificate({ client, domains, challenge, publish, makeRequest, pace, signal })
  const client = await openAccount(account)
  try {
    return await order(client)
  } catch (error) {
    if (!isUnknownAccount(error)) throw error
    return order(await openAccount(account, client.getAccountUrl()))
  }
}
